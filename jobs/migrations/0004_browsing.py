"""Indexes for looking through jobs."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_stored_files")]
    operations = [
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["tenant", "queue", "type", "status", "-seq"], name="job_newest_by_kind"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(condition=models.Q(("unique_key", ""), _negated=True), fields=["tenant", "unique_key", "-seq"], name="job_newest_by_key"),
        ),
        migrations.AddIndex(
            model_name="job",
            index=django.contrib.postgres.indexes.GinIndex(condition=models.Q(("labels", {}), _negated=True), fields=["labels"], name="job_labelled", opclasses=["jsonb_path_ops"]),
        ),
        # Where nearly all jobs have one status, type or queue, the planner would take each of them
        # for that one, and look for the others by reading through a tenant's jobs.
        migrations.RunSQL(
            """ALTER TABLE jobs_job ALTER COLUMN status SET (n_distinct = 7),
                   ALTER COLUMN type SET (n_distinct = 20), ALTER COLUMN queue SET (n_distinct = 10)""",
            """ALTER TABLE jobs_job ALTER COLUMN status RESET (n_distinct),
                   ALTER COLUMN type RESET (n_distinct), ALTER COLUMN queue RESET (n_distinct)""",
        ),
    ]
