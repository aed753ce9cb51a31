"""The words in which endpoints and deliveries are spoken of, as data."""

from __future__ import annotations

from django.db.models import TextChoices


class EventName(TextChoices):
    """What an endpoint can be told of."""

    COMPLETED = "job.completed", "Job completed"
    FAILED = "job.failed", "Job failed"
    CANCELLED = "job.cancelled", "Job cancelled"
    STARTED = "job.started", "Job started"
    RETRYING = "job.retrying", "Job will be retried"
    BATCH_COMPLETED = "batch.completed", "Batch completed"
    SCHEDULE_MISSED = "schedule.missed", "Schedule missed a run"
    ENDPOINT_DISABLED = "endpoint.disabled", "Endpoint disabled"


DELIVER = "webhooks.deliver"  # the job type that carries a delivery
FAN_OUT = "webhooks.fan_out"  # and the one that makes the deliveries of events for very many
DELIVERIES_QUEUE = "webhooks"
TEST_EVENT = "endpoint.test"  # sent when somebody asks for it, whatever the endpoint listens to
DELIVERED_EVENTS = (*EventName.values, TEST_EVENT)  # all that a delivery may be of
OF_JOB_WEBHOOKS = frozenset({EventName.COMPLETED, EventName.FAILED})  # a job's own webhook_url


class DeliveryStatus(TextChoices):
    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Failed"


class DisabledBecause(TextChoices):
    BY_HAND = "by_hand", "Switched off"
    GONE = "gone", "Answered 410 Gone"
    FAILING = "failing", "Failed for days"
