"""The job types that make deliveries and that carry them."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from jobs import Circuit, JobContext, job_type
from webhooks.exceptions import DeliveryFailed
from webhooks.policies import DELIVER, DELIVERIES_QUEUE, FAN_OUT

_OPENS_AFTER = 5  # failures of an endpoint in a row
_KEPT_DAYS = 0.05  # the delivery's row tells all there is to tell
_TIMEOUT_SLACK = 30
_FAN_OUT_RETRIES = 20
_FAN_OUT_TIMEOUT = 3600


@job_type(
    DELIVER,
    queue=DELIVERIES_QUEUE,
    internal=True,
    description="Sends an event to an endpoint.",
    dont_autoretry_for=(DeliveryFailed,),
    retry_backoff=max(1.0, settings.WEBHOOK_BACKOFF_SECONDS),  # of faults of ours
    timeout=int(settings.WEBHOOK_TIMEOUT_LONGEST) + _TIMEOUT_SLACK,
    limit_key="{endpoint_id}",
    key_max_concurrency=1,
    circuit=Circuit(failures=_OPENS_AFTER, open_seconds=max(1.0, settings.WEBHOOK_BACKOFF_SECONDS)),
    retention_days=_KEPT_DAYS,
)
def deliver(
    context: JobContext, *, delivery_id: UUID, endpoint_id: UUID, attempts_before: int = 0
) -> str:
    """One request to the endpoint. `attempts_before`: of the delivery, when this was handed in."""
    from webhooks.delivering import attempt  # needs models, which load after this module

    return attempt(context, delivery_id, attempts_before)


@job_type(
    FAN_OUT,
    queue=DELIVERIES_QUEUE,
    internal=True,
    description="Makes the deliveries of events for very many.",
    max_retries=_FAN_OUT_RETRIES,
    retry_backoff=2.0,
    retry_backoff_max=60.0,
    timeout=_FAN_OUT_TIMEOUT,
    limit_key="fan-out",
    key_max_concurrency=1,
    retention_days=_KEPT_DAYS,
)
def fan_out(context: JobContext, *, tenant_id: int) -> int:
    """All that is waiting of the tenant."""
    from webhooks.fanning_out import fan_out  # needs models, which load after this module

    return fan_out(context, tenant_id)
