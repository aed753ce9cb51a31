from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_membership")]

    operations = [
        migrations.AlterModelOptions(name="apitoken", options={"verbose_name": "token"}),
        migrations.RemoveIndex(model_name="auditentry", name="audit_of_object"),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("object_id"), models.OrderBy(models.F("id"), descending=True),
                name="audit_by_object",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("actor"), models.OrderBy(models.F("id"), descending=True),
                name="audit_by_actor",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("action"), models.OrderBy(models.F("id"), descending=True),
                name="audit_by_action",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(
                models.F("address"), models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("action", "person.sign-in-refused")), name="audit_refused",
            ),
        ),
    ]
