from django.db import models
from django.db.models import Q


class RateUse(models.Model):
    """A start that counts against a rate limit.

    The dispatcher books it when it sends the job, and fills in `started_at` from the job's claim;
    until then it counts as spent. A message that was withdrawn gives its use back.
    """

    bucket = models.TextField(help_text="queue:NAME, type:NAME, tenant:ID or key:TENANT:KEY")
    job_id = models.UUIDField()
    fence = models.BigIntegerField()
    booked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["bucket", "started_at"], name="rate_use_of_bucket"),
            models.Index(fields=["job_id"], name="rate_use_open", condition=Q(started_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.bucket} {self.job_id}"
