from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id


class SigningSecret(models.Model):
    """What requests are signed with: of an endpoint, or the tenant's own for what jobs bring.

    Encrypted under SECRET_KEY. It signs until `expires_at`; while a secret is being replaced there
    are two, and each request carries a signature by both.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    endpoint = models.ForeignKey(
        "webhooks.Endpoint", models.CASCADE, null=True, related_name="secrets", db_index=False
    )
    sealed = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Of each one signs without an end, which is the newest.
            models.UniqueConstraint(
                name="secret_current_of_endpoint",
                fields=["endpoint"],
                condition=Q(expires_at=None, endpoint__isnull=False),
            ),
            models.UniqueConstraint(
                name="secret_current_of_tenant",
                fields=["tenant"],
                condition=Q(expires_at=None, endpoint=None),
            ),
        ]
        indexes = [
            models.Index(name="secret_of_endpoint", fields=["endpoint", "-created_at"]),
            models.Index(
                name="secret_of_tenant",
                fields=["tenant", "-created_at"],
                condition=Q(endpoint=None),
            ),
            models.Index(
                name="secret_expires", fields=["expires_at"], condition=Q(expires_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id or self.tenant_id}"
