from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.ids import new_id


class ClockTimestamp(models.Func):
    function = "clock_timestamp"
    template = "%(function)s()"
    output_field: Any = models.DateTimeField()


class Event(models.Model):
    """Something that happened and that somebody wanted to be told of, as it is told.

    Its id is the `webhook-id` of every request that tells it. The body is kept as it is sent, byte
    for byte: a later attempt is the same message, whatever became of the job meanwhile.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    name = models.TextField()
    job_id = models.UUIDField(null=True)
    body = models.TextField()
    due = ArrayField(
        models.UUIDField(),
        null=True,
        help_text="The endpoints whose deliveries are yet to be made; empty where all are.",
    )
    # Of the statement, not of the transaction: the events of one job follow each other by it.
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        indexes = [
            models.Index(name="event_by_time", fields=["created_at"]),
            models.Index(
                name="event_due",
                fields=["tenant", "created_at"],
                condition=models.Q(due__isnull=False),
            ),
            models.Index(
                name="event_due_of_job",
                fields=["job_id"],
                condition=models.Q(due__isnull=False, job_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"
