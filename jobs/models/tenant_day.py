from django.db import models


class TenantDay(models.Model):
    """The jobs that a tenant with a daily quota handed in on its newest day (UTC): one row a
    tenant, written in the transaction that hands them in."""

    tenant = models.OneToOneField(
        "accounts.Tenant", models.CASCADE, primary_key=True, related_name="+"
    )
    day = models.DateField()
    jobs = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.tenant_id} on {self.day}: {self.jobs}"
