"""An internal job that ended without success takes its delivery with it, in the same transaction:
whatever ended it, a delivery never waits for a job that is over."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from jobs.lifecycle.statement import Move
from jobs.states import Status
from webhooks.models import Delivery
from webhooks.policies import DELIVER, DeliveryStatus
from webhooks.recording import fail

_WHY = {Status.FAILED: "worker_lost", Status.CANCELLED: "cancelled"}


def on_job_event(*, moves: Iterable[Move], **_: Any) -> None:
    """Receives `jobs.signals.job_event`."""
    for status, why in _WHY.items():
        ended = [moved.id for moved in moves if moved.type == DELIVER and moved.status == status]
        if ended:
            rows = Delivery.objects.filter(task_id__in=ended, status=DeliveryStatus.PENDING)
            fail(list(rows.values_list("pk", flat=True)), why)
