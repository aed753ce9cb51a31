from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Now

from accounts.plans import PLANS, Plan

DEFAULT_TENANT = "default"


class TenantManager(models.Manager["Tenant"]):
    """Tenants as people and programs know them; the platform's own are left out."""

    def get_queryset(self) -> models.QuerySet[Tenant]:
        return super().get_queryset().filter(works_for=None)


class Tenant(models.Model):
    """Whoever owns jobs. `default` always exists: `migrate` makes it.

    The platform's own jobs for a tenant, such as its deliveries, belong to a tenant beside it,
    which `works_for` it: so they wait in line and take turns as any others, and no list or count
    of the tenant's has them. `objects` has no such tenants, `everyone` has them all.
    """

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
    # Limits of this tenant alone; empty: none.
    max_running = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="Jobs at once over all workers.",
    )  # fmt: skip
    max_queued = models.PositiveIntegerField(
        null=True, blank=True, help_text="Jobs that wait; further ones are refused."
    )
    max_per_day = models.PositiveIntegerField(
        null=True, blank=True, help_text="Jobs handed in a day (UTC); further ones are refused."
    )
    rate_limit = models.CharField(
        max_length=20,
        blank=True,
        default="",
        db_default="",
        help_text="Starts in a time, as in 100/m.",
    )
    weight = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Its share where tenants take turns; empty: its plan's.",
    )  # fmt: skip
    retention_days = models.FloatField(
        null=True, blank=True, validators=[MinValueValidator(0)],
        help_text="How long ended jobs are kept; empty: as everywhere.",
    )  # fmt: skip
    works_for = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, editable=False, related_name="platform"
    )
    listening = models.UUIDField(
        null=True,
        editable=False,
        help_text="Another one with each change of who listens to its events; empty: nobody does.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = TenantManager()
    everyone: models.Manager[Tenant] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenant_limits_positive",
                condition=(models.Q(max_running=None) | models.Q(max_running__gte=1))
                & (models.Q(weight=None) | models.Q(weight__range=(1, 100)))
                & (models.Q(retention_days=None) | models.Q(retention_days__gte=0)),
            ),
            models.CheckConstraint(
                name="tenant_plan_known", condition=models.Q(plan_name__in=list(PLANS))
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def plan(self) -> Plan:
        return PLANS[self.plan_name]
