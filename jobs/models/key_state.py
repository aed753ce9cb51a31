from django.db import models


class KeyState(models.Model):
    """What was learned about a limit key while its jobs ran: closed until when, and why.

    A row exists only for a key that was closed or whose jobs failed in a row.
    """

    tenant = models.ForeignKey("accounts.Tenant", models.CASCADE, related_name="+", db_index=False)
    key = models.TextField()
    closed_until = models.DateTimeField(null=True)
    reason = models.TextField(blank=True, default="", help_text="For people.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    opened_at = models.DateTimeField(
        null=True, help_text="When the circuit breaker opened; until a probe completes."
    )

    class Meta:
        constraints = [models.UniqueConstraint(name="key_state_once", fields=["tenant", "key"])]

    def __str__(self) -> str:
        return self.key
