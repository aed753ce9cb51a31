"""Statistics."""

import django.contrib.postgres.fields
import django.db.models.functions.comparison
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="DepthSample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minute", models.DateTimeField()),
                ("tenant_id", models.BigIntegerField()),
                ("queue", models.TextField(blank=True)),
                ("level", models.CharField(blank=True, max_length=10)),
                ("waiting", models.BigIntegerField(default=0)),
                ("processing", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("duty", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("holder", models.CharField(blank=True, max_length=255)),
                ("seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minute", models.DateTimeField()),
                ("tenant_id", models.BigIntegerField()),
                ("queue", models.TextField(blank=True)),
                ("type", models.TextField(blank=True)),
                ("completed", models.BigIntegerField(default=0)),
                ("failed", models.BigIntegerField(default=0)),
                ("cancelled", models.BigIntegerField(default=0)),
                ("completed_after_retry", models.BigIntegerField(default=0)),
                ("failed_after_retry", models.BigIntegerField(default=0)),
                ("run_seconds", models.FloatField(default=0, help_text="Of the completed jobs, added up.")),
                ("waits", django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, help_text="Counts by `jobs.stats.histogram`.", size=None)),
            ],
        ),
        migrations.CreateModel(
            name="RollupMark",
            fields=[
                ("name", models.CharField(max_length=40, primary_key=True, serialize=False)),
                ("until", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.RemoveIndex(model_name="job", name="job_newest_by_status"),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["tenant", "status", "-seq"], include=("queue",), name="job_newest_by_status"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("owner", ""), _negated=True), fields=["tenant", "owner", "status", "-seq"], include=("queue", "priority", "created_at"), name="job_newest_of_owner"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(django.db.models.functions.comparison.Coalesce(models.F("completed_at"), models.F("cancelled_at")), condition=models.Q(("completed_at__isnull", False), ("cancelled_at__isnull", False), _connector="OR"), name="job_ended"),
        ),
        migrations.AddIndex(
            model_name="depthsample", index=models.Index(fields=["minute"], name="depth_sample_minute")
        ),
        migrations.AddConstraint(
            model_name="depthsample",
            constraint=models.UniqueConstraint(fields=("tenant_id", "queue", "level", "minute"), name="depth_sample_once"),
        ),
        migrations.AddIndex(
            model_name="rollup", index=models.Index(fields=["minute"], name="rollup_minute")
        ),
        migrations.AddConstraint(
            model_name="rollup",
            constraint=models.UniqueConstraint(fields=("tenant_id", "queue", "type", "minute"), name="rollup_once"),
        ),
        # So that the planner knows how many jobs of one tenant, queue and status there are: alone
        # each column's share says little where one tenant has all the failures.
        migrations.RunSQL(
            "CREATE STATISTICS job_groups (mcv) ON tenant_id, queue, status FROM jobs_job",
            "DROP STATISTICS job_groups",
        ),
    ]
