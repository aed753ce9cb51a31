import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_limits"),
        ("jobs", "0005_policies"),
    ]

    operations = [
        migrations.CreateModel(
            name="TenantDay",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="accounts.tenant",
                    ),
                ),
                ("day", models.DateField()),
                ("jobs", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(
                condition=models.Q(("status", "completed"), ("unique_until__isnull", False)),
                fields=["tenant", "type", "unique_key", "unique_until"],
                name="job_key_kept",
            ),
        ),
    ]
