from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id


class PauseKind(models.TextChoices):
    QUEUE = "queue"
    TYPE = "type"
    TENANT = "tenant"
    KEY = "key"


class Pause(models.Model):
    """Jobs of a queue, a type, a tenant or a key are held back: by whom, why, until when.

    In force while `ended_at` is not set and `until` has not come. Ended ones stay as history; what
    waited meanwhile does not age for as long as they lasted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=6, choices=PauseKind)
    target = models.TextField(help_text="The queue, the type, the tenant's slug, or the key.")
    tenant = models.ForeignKey(
        "accounts.Tenant", models.CASCADE, null=True, related_name="+", db_index=False,
        help_text="Of a tenant's pause that tenant, of a key's the one whose key it is.",
    )  # fmt: skip
    reason = models.TextField(blank=True, default="")
    until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(name="pause_kind_known", condition=Q(kind__in=PauseKind.values)),
            models.CheckConstraint(
                name="pause_of_tenant_or_key_has_tenant",
                condition=Q(kind__in=[PauseKind.QUEUE, PauseKind.TYPE], tenant=None)
                | Q(kind__in=[PauseKind.TENANT, PauseKind.KEY], tenant__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="pause_open", fields=["kind", "target"], condition=Q(ended_at=None)),
            models.Index(name="pause_ended", fields=["ended_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"
