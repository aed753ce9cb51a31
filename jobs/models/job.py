from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce, Now

from accounts.ids import new_id
from jobs.models.fields import AssignedBigIntegerField, AssignedDateTimeField
from jobs.priorities import Level, level_of
from jobs.querysets import JobQuerySet
from jobs.states import ACTIVE, FINAL, WAITING, Status

SEQUENCE = "jobs_job_seq"
UNIQUE_KEY_INDEX = "job_unique_key_while_active"


def _sorted(statuses: frozenset[Status]) -> list[str]:
    return sorted(status.value for status in statuses)


class Job(models.Model):
    """A piece of work that was accepted, from its first moment to the end of its retention.

    The row is the truth about the job; only `jobs.lifecycle` changes its status. Lease and
    progress columns stand in no index, so that writing them stays cheap.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    seq = AssignedBigIntegerField(
        db_default=Func(Value(SEQUENCE), function="nextval"), help_text="Order of acceptance."
    )
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    owner = models.TextField(blank=True, default="")
    type = models.TextField()
    queue = models.ForeignKey(
        "jobs.Queue", models.PROTECT, db_column="queue", related_name="+", db_index=False
    )
    labels = models.JSONField(default=dict)
    unique_key = models.TextField(blank=True, default="")
    unique_until = models.DateTimeField(
        null=True, help_text="Its unique key is taken until then, even if it ended."
    )
    limit_key = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Jobs of one tenant with the same key share its limits.",
    )
    batch = models.ForeignKey(
        "jobs.Batch", models.PROTECT, null=True, related_name="jobs", db_index=False
    )
    workflow = models.ForeignKey(
        "jobs.Workflow", models.PROTECT, null=True, related_name="jobs", db_index=False
    )
    step = models.TextField(
        blank=True, default="", db_default="", help_text="Its name in the workflow."
    )
    schedule_id = models.UUIDField(null=True, help_text="Of the schedule that it is a run of.")
    scheduled_for = models.DateTimeField(null=True, help_text="The schedule's moment.")
    created_by = models.TextField(blank=True, default="")
    webhook_url = models.TextField(
        blank=True, default="", db_default="", help_text="Told when the job completes or fails."
    )
    webhook_delivered = models.BooleanField(
        null=True, help_text="Whether all that was to be told arrived; empty: nothing was yet."
    )
    webhook_attempts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="Requests made to tell it."
    )

    status = models.CharField(max_length=10, choices=Status)
    priority = models.SmallIntegerField(help_text="Asked for, plus boosts.")
    base_priority = models.SmallIntegerField(help_text="As asked for.")
    payload = models.JSONField(default=dict, help_text="Secrets stand in it encrypted.")

    # Every dispatch, withdrawal and end of an attempt adds one to `fence`; it is never given back.
    fence = models.BigIntegerField(default=0)
    run = models.PositiveIntegerField(default=1, help_text="Grows with each retry by hand.")
    attempt = models.PositiveIntegerField(default=0, help_text="Starts so far.")
    retry_count = models.PositiveIntegerField(default=0)
    crash_count = models.PositiveIntegerField(default=0)
    max_retries = models.PositiveSmallIntegerField()
    retry_backoff = models.JSONField(null=True, help_text="This job's own, else its type's.")
    timeout_seconds = models.PositiveIntegerField()

    run_at = models.DateTimeField(null=True, help_text="As asked for.")
    visible_at = models.DateTimeField(null=True, help_text="Not handed out before.")
    expires_at = models.DateTimeField(null=True, help_text="Not started after.")
    queued_at = AssignedDateTimeField(
        db_default=Now(), help_text="When it last became ready to run; it ages from then."
    )
    dispatched_at = models.DateTimeField(null=True)
    sent_priority = models.SmallIntegerField(
        null=True, help_text="With ageing, when its message was sent; it decides the level."
    )
    worker = models.TextField(blank=True, default="")
    incarnation = models.UUIDField(null=True)
    claim_id = models.UUIDField(null=True, help_text="Made by the claim; proves whose it was.")
    lease_expires_at = models.DateTimeField(null=True)

    progress = models.SmallIntegerField(default=0)
    progress_message = models.TextField(blank=True, default="")
    result = models.JSONField(null=True)
    has_artifacts = models.BooleanField(
        default=False, db_default=False, help_text="Files, or a result that is kept in storage."
    )
    error = models.JSONField(null=True)
    fingerprint = models.CharField(
        max_length=32,
        blank=True,
        default="",
        db_default="",
        help_text="Failures of one kind share it.",
    )
    estimated_duration_seconds = models.PositiveIntegerField(null=True)
    actual_duration_seconds = models.FloatField(null=True, help_text="Of the last attempt.")

    created_at = AssignedDateTimeField(db_default=Now())
    updated_at = AssignedDateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True, help_text="When it completed or failed.")
    cancel_requested_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.TextField(blank=True, default="")
    discarded_at = models.DateTimeField(null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="job_status_known", condition=Q(status__in=Status.values)),
            models.CheckConstraint(
                name="job_priority_range",
                condition=Q(priority__range=(0, 100), base_priority__range=(0, 100)),
            ),
            models.CheckConstraint(
                name="job_progress_range", condition=Q(progress__range=(0, 100))
            ),
            models.CheckConstraint(name="job_max_retries_range", condition=Q(max_retries__lte=100)),
            models.CheckConstraint(
                name="job_timeout_range", condition=Q(timeout_seconds__range=(1, 86_400))
            ),
            models.CheckConstraint(
                name="job_completed_at_when_ended",
                condition=Q(
                    status__in=[Status.COMPLETED, Status.FAILED], completed_at__isnull=False
                )
                | (~Q(status__in=[Status.COMPLETED, Status.FAILED]) & Q(completed_at=None)),
            ),
            models.CheckConstraint(
                name="job_cancelled_at_when_cancelled",
                condition=Q(status=Status.CANCELLED, cancelled_at__isnull=False)
                | (~Q(status=Status.CANCELLED) & Q(cancelled_at=None)),
            ),
            models.CheckConstraint(
                name="job_leased_while_processing",
                condition=~Q(status=Status.PROCESSING)
                | Q(
                    lease_expires_at__isnull=False,
                    started_at__isnull=False,
                    incarnation__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="job_dispatched_only_queued",
                condition=Q(dispatched_at=None) | Q(status=Status.QUEUED),
            ),
            models.CheckConstraint(
                name="job_scheduled_has_time",
                condition=~Q(status=Status.SCHEDULED) | Q(visible_at__isnull=False),
            ),
            models.CheckConstraint(
                name="job_result_only_completed",
                condition=Q(result=None) | Q(status=Status.COMPLETED),
            ),
            models.UniqueConstraint(
                name=UNIQUE_KEY_INDEX,
                fields=["tenant", "type", "unique_key"],
                condition=~Q(unique_key="") & Q(status__in=_sorted(ACTIVE)),
            ),
        ]
        indexes = [
            models.Index(
                F("queue"),
                F("tenant"),
                F("priority").desc(),
                F("seq"),
                name="job_ready",
                condition=Q(status=Status.QUEUED, dispatched_at=None),
            ),
            # Of keys whose limit has room, where others stand in front by the thousand.
            models.Index(
                F("queue"),
                F("tenant"),
                F("limit_key"),
                F("type"),
                F("priority").desc(),
                F("seq"),
                name="job_ready_by_key",
                condition=Q(status=Status.QUEUED, dispatched_at=None) & ~Q(limit_key=""),
            ),
            models.Index(
                name="job_in_flight",
                fields=["dispatched_at"],
                condition=Q(status=Status.QUEUED, dispatched_at__isnull=False),
            ),
            models.Index(
                name="job_due", fields=["visible_at"], condition=Q(status=Status.SCHEDULED)
            ),
            models.Index(
                name="job_expiring",
                fields=["expires_at"],
                condition=Q(status__in=_sorted(WAITING), expires_at__isnull=False),
            ),
            models.Index(
                name="job_processing", fields=["incarnation"], condition=Q(status=Status.PROCESSING)
            ),
            models.Index(F("tenant"), F("seq").desc(), name="job_newest"),
            # What is included spares counts by queue and level a visit to each row.
            models.Index(
                name="job_newest_by_status",
                fields=["tenant", "status", "-seq"],
                include=["queue"],
            ),
            models.Index(
                name="job_newest_of_owner",
                fields=["tenant", "owner", "status", "-seq"],
                include=["queue", "priority", "created_at"],
                condition=~Q(owner=""),
            ),
            # The list in the admin: each stream that its filters choose, newest first.
            models.Index(
                name="job_newest_by_kind", fields=["tenant", "queue", "type", "status", "-seq"]
            ),
            models.Index(
                name="job_newest_by_key",
                fields=["tenant", "unique_key", "-seq"],
                condition=~Q(unique_key=""),
            ),
            # Ended jobs whose unique key is taken for a time.
            models.Index(
                name="job_key_kept",
                fields=["tenant", "type", "unique_key", "unique_until"],
                condition=Q(status=Status.COMPLETED, unique_until__isnull=False),
            ),
            models.Index(
                name="job_of_batch",
                fields=["batch", "status", "-seq"],
                condition=Q(batch__isnull=False),
            ),
            models.Index(
                name="job_of_workflow",
                fields=["workflow"],
                condition=Q(workflow__isnull=False),
            ),
            models.Index(
                name="job_of_schedule",
                fields=["schedule_id", "-seq"],
                condition=Q(schedule_id__isnull=False),
            ),
            models.Index(
                name="job_of_schedule_active",
                fields=["schedule_id"],
                condition=Q(schedule_id__isnull=False, status__in=_sorted(ACTIVE)),
            ),
            models.Index(
                name="job_dead",
                fields=["tenant", "fingerprint", "-seq"],
                condition=Q(status=Status.FAILED, discarded_at=None),
            ),
            GinIndex(
                name="job_labelled",
                fields=["labels"],
                opclasses=["jsonb_path_ops"],
                condition=~Q(labels={}),
            ),
            models.Index(
                Coalesce(F("completed_at"), F("cancelled_at")),
                name="job_ended",
                # Not by status: another query that asks for ended jobs is better off without it.
                condition=Q(completed_at__isnull=False) | Q(cancelled_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id} ({self.status})"

    @property
    def level(self) -> Level:
        return level_of(self.priority)

    @property
    def is_final(self) -> bool:
        return self.status in FINAL
