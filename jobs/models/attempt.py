from django.db import models


class AttemptOutcome(models.TextChoices):
    FAILED = "failed"
    RETRIED = "retried"
    SNOOZED = "snoozed"
    RELEASED = "released"
    LOST = "lost"
    CANCELLED = "cancelled"


class Attempt(models.Model):
    """An attempt that did not complete. (The one that did is told by the job's own row.)"""

    job = models.ForeignKey("jobs.Job", models.CASCADE, related_name="attempts", db_index=False)
    fence = models.BigIntegerField()
    number = models.PositiveIntegerField()
    run = models.PositiveIntegerField()
    worker = models.CharField(max_length=255)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=AttemptOutcome)
    error = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="attempt_fence_once", fields=["job", "fence"]),
            models.CheckConstraint(
                name="attempt_outcome_known", condition=models.Q(outcome__in=AttemptOutcome.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_id} attempt {self.number}: {self.outcome}"
