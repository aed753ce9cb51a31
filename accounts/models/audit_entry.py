from django.db import models
from django.db.models.functions import Now

from accounts.ids import new_id


class AuditEntry(models.Model):
    """One administrative change: who, what, when, from where. Triggers refuse any later change.

    `accounts.audit.record` is the only function that writes one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField(db_default=Now())
    tenant = models.ForeignKey(
        "accounts.Tenant", models.PROTECT, null=True, related_name="+", db_index=False
    )
    actor = models.TextField(help_text="user:NAME, token:NAME, command:USER")
    action = models.CharField(max_length=100)
    object_type = models.CharField(max_length=100)
    object_id = models.TextField()
    address = models.GenericIPAddressField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(models.F("tenant"), models.F("id").desc(), name="audit_newest"),
            models.Index(models.F("object_id"), models.F("id").desc(), name="audit_by_object"),
            models.Index(models.F("actor"), models.F("id").desc(), name="audit_by_actor"),
            models.Index(models.F("action"), models.F("id").desc(), name="audit_by_action"),
            # Counted at every try to sign in.
            models.Index(
                models.F("address"),
                models.F("id").desc(),
                name="audit_refused",
                condition=models.Q(action="person.sign-in-refused"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object_type} {self.object_id}"
