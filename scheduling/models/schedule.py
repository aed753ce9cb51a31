from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.ids import new_id
from scheduling.cron import DstPolicy
from scheduling.policies import Misfire, Overlap

_DST_POLICIES = [(policy.value, policy.value) for policy in DstPolicy]


class Schedule(models.Model):
    """A recurring job: what it is, when it runs, and what happens where that cannot be kept.

    `next_moment` is the first moment that nobody decided about yet; only who holds the row's lock
    moves it on, and never back. No moment before `effective_from` exists. Changed only by
    `scheduling.verbs`, and `scheduling.firing` where a moment has come.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    owner = models.TextField(blank=True, default="")
    name = models.TextField()
    description = models.TextField(blank=True, default="")
    declared = models.BooleanField(
        default=False, help_text="In code, beside its job type; only there it is changed."
    )

    type = models.TextField("job type")
    queue = models.TextField(blank=True, default="", help_text="Empty: its type's.")
    priority = models.SmallIntegerField(null=True, blank=True, help_text="None: its plan's.")
    payload = models.JSONField(default=dict, help_text="Secrets stand in it encrypted.")
    max_retries = models.PositiveSmallIntegerField(null=True, blank=True)
    timeout_seconds = models.PositiveIntegerField(null=True, blank=True)
    labels = models.JSONField(default=dict, blank=True)
    webhook_url = models.TextField(
        blank=True, default="", db_default="", help_text="Told when a job of it ends."
    )

    cron_expression = models.CharField(max_length=256)
    timezone = models.CharField(max_length=64, default="UTC")
    dst_policy = models.CharField(max_length=4, choices=_DST_POLICIES, default=DstPolicy.ONCE.value)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    calendars = models.ManyToManyField("scheduling.Calendar", blank=True, related_name="schedules")
    jitter_seconds = models.PositiveIntegerField(default=0)
    overlap = models.CharField(max_length=7, choices=Overlap, default=Overlap.ALLOW)
    misfire = models.CharField(max_length=8, choices=Misfire, default=Misfire.RUN_ONCE)
    misfire_limit = models.PositiveIntegerField(default=100)
    enabled = models.BooleanField(default=True)

    effective_from = models.DateTimeField()
    next_moment = models.DateTimeField(null=True)
    next_run_at = models.DateTimeField(null=True, help_text="The next that no calendar leaves out.")
    last_run_at = models.DateTimeField(null=True)
    last_job_id = models.UUIDField(null=True)
    periodic_task = models.OneToOneField(
        "django_celery_beat.PeriodicTask", models.SET_NULL, null=True, related_name="+"
    )

    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="schedule_name_once", fields=["tenant", "name"]),
            models.CheckConstraint(
                name="schedule_overlap_known", condition=Q(overlap__in=Overlap.values)
            ),
            models.CheckConstraint(
                name="schedule_misfire_known", condition=Q(misfire__in=Misfire.values)
            ),
            models.CheckConstraint(
                name="schedule_misfire_limit_range", condition=Q(misfire_limit__range=(1, 1000))
            ),
        ]
        indexes = [
            models.Index(
                name="schedule_due",
                fields=["next_moment"],
                condition=Q(enabled=True, next_moment__isnull=False),
            ),
            models.Index(name="schedule_newest", fields=["tenant", "-id"]),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def anchor(self) -> datetime:
        """Where the periods of `@every` are counted from."""
        return self.starts_at or self.created_at
