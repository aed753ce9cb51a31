from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5, Now

from accounts.ids import new_id
from jobs.webhook_url import without_path
from webhooks.policies import DisabledBecause


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def shown(self) -> EndpointQuerySet:
        """Those that somebody made, and did not delete."""
        return self.filter(deleted_at=None, is_of_jobs=False)


class Endpoint(models.Model):
    """A URL that is told of a tenant's events.

    Those that jobs bring with them as `webhook_url` have a row as well, made by itself and listed
    nowhere, so that each URL has one delivery in flight and its failures are known. A deleted one
    keeps its row as long as its log: a delivery that is being written at that moment finds it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    url = models.TextField()
    description = models.TextField(blank=True, default="")
    events = ArrayField(models.TextField(), default=list, help_text="Empty: all.")
    types = ArrayField(models.TextField(), default=list, help_text="Of jobs; empty: all.")
    queues = ArrayField(models.TextField(), default=list, help_text="Of jobs; empty: all.")
    headers = models.JSONField(default=dict, help_text="Their values stand in it encrypted.")
    timeout_seconds = models.PositiveSmallIntegerField(null=True, help_text="Empty: as configured.")
    retry = models.JSONField(null=True, help_text="Its own strategy; empty: as configured.")
    is_of_jobs = models.BooleanField(default=False)

    enabled = models.BooleanField(default=True)
    disabled_because = models.CharField(
        max_length=7, blank=True, default="", choices=DisabledBecause
    )
    disabled_at = models.DateTimeField(null=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())
    created_by = models.TextField(blank=True, default="")
    deleted_at = models.DateTimeField(null=True)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            # By a hash: a URL may be longer than an index takes.
            models.UniqueConstraint(
                F("tenant"),
                MD5("url"),
                name="endpoint_of_jobs_once",
                condition=Q(is_of_jobs=True, deleted_at=None),
            ),
            models.CheckConstraint(
                name="endpoint_disabled_has_reason",
                condition=Q(enabled=True, disabled_because="", disabled_at=None)
                | (Q(enabled=False, disabled_at__isnull=False) & ~Q(disabled_because="")),
            ),
        ]
        indexes = [
            models.Index(
                name="endpoint_of_tenant",
                fields=["tenant", "-id"],
                condition=Q(is_of_jobs=False, deleted_at=None),
            ),
            # Housekeeping walks over these.
            models.Index(
                name="endpoint_of_jobs",
                fields=["id"],
                condition=Q(is_of_jobs=True, deleted_at=None),
            ),
            models.Index(
                name="endpoint_deleted", fields=["id"], condition=Q(deleted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return without_path(self.url)

    @property
    def is_failing(self) -> bool:
        return self.consecutive_failures > 0
