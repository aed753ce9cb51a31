from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.ids import new_id
from webhooks.policies import DeliveryStatus


class Delivery(models.Model):
    """One event on its way to one endpoint. An internal job, `task_id`, carries it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey("accounts.Tenant", models.PROTECT, related_name="+", db_index=False)
    event = models.ForeignKey(
        "webhooks.Event", models.CASCADE, related_name="deliveries", db_index=False
    )
    endpoint = models.ForeignKey(
        "webhooks.Endpoint", models.PROTECT, related_name="deliveries", db_index=False
    )
    event_name = models.TextField(help_text="The event's, by which deliveries are found.")
    job_id = models.UUIDField(null=True, help_text="Of the job that the event is about.")
    task_id = models.UUIDField(null=True, help_text="Of the internal job that sends it.")
    status = models.CharField(max_length=9, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    last_status_code = models.PositiveSmallIntegerField(null=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(name="delivery_once", fields=["event", "endpoint"]),
            models.CheckConstraint(
                name="delivery_ended_or_pending",
                condition=Q(status=DeliveryStatus.PENDING, ended_at=None)
                | (~Q(status=DeliveryStatus.PENDING) & Q(ended_at__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(name="delivery_newest", fields=["tenant", "-id"]),
            models.Index(name="delivery_newest_by_status", fields=["tenant", "status", "-id"]),
            models.Index(name="delivery_newest_by_event", fields=["tenant", "event_name", "-id"]),
            models.Index(name="delivery_of_endpoint", fields=["endpoint", "status", "-id"]),
            models.Index(
                name="delivery_of_endpoint_by_event", fields=["endpoint", "event_name", "-id"]
            ),
            models.Index(name="delivery_of_endpoint_newest", fields=["endpoint", "-id"]),
            models.Index(
                name="delivery_of_job",
                fields=["job_id", "endpoint", "-id"],
                condition=Q(job_id__isnull=False),
            ),
            models.Index(
                F("task_id"), name="delivery_of_task", condition=Q(status=DeliveryStatus.PENDING)
            ),
            models.Index(
                name="delivery_ended", fields=["ended_at"], condition=Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id} ({self.status})"


class DeliveryAttempt(models.Model):
    """One request, and what came of it."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="log", db_index=False)
    number = models.PositiveIntegerField()
    url = models.TextField()
    started_at = models.DateTimeField()
    duration_seconds = models.FloatField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.TextField(blank=True, default="", help_text="One word; empty where it arrived.")
    message = models.TextField(blank=True, default="")
    answer_start = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="attempt_of_delivery", fields=["delivery", "number"])
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.status_code or self.error}"
