from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id
from scheduling.policies import Decision

LATE_FROM_SECONDS = 10.0  # no alert is told of what was late by less


class Firing(models.Model):
    """What became of one moment of a schedule: its job, or why there is none.

    Unique by schedule and moment, which is what keeps any number of schedulers from making two
    jobs. A run by hand has no moment. Where so many were missed that they are not told one by one,
    one row stands for all of them from `moment` on and before `until`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    schedule = models.ForeignKey(
        "scheduling.Schedule", models.CASCADE, related_name="firings", db_index=False
    )
    moment = models.DateTimeField(null=True)
    until = models.DateTimeField(null=True)
    decision = models.CharField(max_length=7, choices=Decision)
    reason = models.TextField(blank=True, default="")
    job_id = models.UUIDField(null=True)
    late_seconds = models.FloatField(default=0)
    by = models.TextField(blank=True, default="", help_text="Who ran it by hand, or filled it in.")
    decided_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="firing_once", fields=["schedule", "moment"]),
            models.CheckConstraint(
                name="firing_decision_known", condition=Q(decision__in=Decision.values)
            ),
        ]
        indexes = [
            models.Index(name="firing_newest", fields=["schedule", "-id"]),
            models.Index(name="firing_by_time", fields=["decided_at"]),
            # What did not run, or not in time, for those who are to be told.
            models.Index(
                name="firing_missed",
                fields=["decided_at"],
                condition=Q(decision__in=[Decision.MISSED, Decision.REFUSED])
                | Q(late_seconds__gt=LATE_FROM_SECONDS),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.moment or 'by hand'}: {self.decision}"
