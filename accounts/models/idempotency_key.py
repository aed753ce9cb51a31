from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """The first answer to a request that carried this key, kept to be given again.

    Committed together with what the request created, so neither exists without the other.
    `accounts.api.idempotency` writes and reads it.
    """

    tenant = models.ForeignKey("accounts.Tenant", models.CASCADE, related_name="+", db_index=False)
    method = models.CharField(max_length=10)
    path = models.TextField()
    key = models.CharField(max_length=255)
    request_sha256 = models.BinaryField(max_length=32)
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="idempotency_key_once", fields=["tenant", "method", "path", "key"]
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
