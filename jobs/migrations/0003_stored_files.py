"""Files that are handed in, and the jobs that name them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import accounts.ids

_FOREIGN_KEYS = """
    ALTER TABLE jobs_fileuse
        ADD CONSTRAINT file_use_job FOREIGN KEY (job_id)
            REFERENCES jobs_job (id) ON DELETE CASCADE,
        ADD CONSTRAINT file_use_file FOREIGN KEY (file_id)
            REFERENCES jobs_storedfile (id)
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("jobs", "0002_statistics")]

    operations = [
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("id", models.UUIDField(default=accounts.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("owner", models.TextField(blank=True, default="")),
                ("name", models.CharField(help_text="The sender's, cleaned; for people.", max_length=255)),
                ("content_type", models.CharField(help_text="As the sender says.", max_length=255)),
                ("size", models.BigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("storage_name", models.CharField(max_length=100, unique=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("created_by", models.TextField(blank=True, default="")),
                ("expires_at", models.DateTimeField(help_text="Cannot be named in a new job after; removed once no unfinished job names it.")),
                ("tenant", models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.tenant")),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="stored_file_expiring")],
                "constraints": [models.CheckConstraint(condition=models.Q(("size__gt", 0)), name="stored_file_not_empty")],
            },
        ),
        migrations.CreateModel(
            name="FileUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("job", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="jobs.job")),
                ("file", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="uses", to="jobs.storedfile")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("job", "file"), name="file_use_once")],
            },
        ),
        migrations.RunSQL(_FOREIGN_KEYS, migrations.RunSQL.noop),
    ]
