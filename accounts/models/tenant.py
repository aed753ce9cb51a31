from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from accounts.plans import PLANS, Plan

DEFAULT_TENANT = "default"


class Tenant(models.Model):
    """Whoever owns jobs. `default` always exists: `migrate` makes it."""

    slug = models.CharField(
        max_length=63,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$")],
        help_text="Lower-case letters, digits and inner hyphens; names the tenant in requests.",
    )
    name = models.CharField(max_length=200, blank=True)
    plan_name = models.CharField(
        "plan", max_length=20, default="basic", choices=[(name, name) for name in PLANS]
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenant_plan_known", condition=models.Q(plan_name__in=list(PLANS))
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def plan(self) -> Plan:
        return PLANS[self.plan_name]
