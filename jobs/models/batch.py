from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id


class Batch(models.Model):
    """Jobs that were handed in together, counted together.

    The counters of final jobs move in the transaction that ends each of them, so a batch never
    waits for anything but its jobs. The jobs that still go on are `total` less the three.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    owner = models.TextField(blank=True, default="")
    name = models.TextField(blank=True, default="")
    created_by = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    total = models.PositiveIntegerField(default=0, help_text="Jobs in it; refused items are none.")
    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    on_complete = models.JSONField(null=True, help_text="The job to hand in when all have ended.")
    on_failure = models.JSONField(null=True, help_text="The job to hand in at the first failure.")
    on_complete_job = models.UUIDField(null=True, help_text="Set once ever.")
    on_failure_job = models.UUIDField(null=True, help_text="Set once ever.")

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                name="batch_ended_within_total",
                condition=Q(
                    total__gte=models.F("completed") + models.F("failed") + models.F("cancelled")
                ),
            )
        ]
        indexes = [models.Index(fields=["tenant", "-id"], name="batch_newest")]

    def __str__(self) -> str:
        return self.name or str(self.id)
