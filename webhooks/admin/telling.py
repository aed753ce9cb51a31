"""Endpoints and deliveries in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs import wording
from webhooks.models import Delivery, DeliveryAttempt, Endpoint
from webhooks.policies import DeliveryStatus, DisabledBecause, EventName
from webhooks.retrying import strategy_of

_NAMED = 3  # types or queues, in a list
_WAITS = 6  # of a strategy
_LABELS = dict(EventName.choices)
_BECAUSE = {
    DisabledBecause.BY_HAND: "switched off",
    DisabledBecause.GONE: "answered 410 Gone",
    DisabledBecause.FAILING: "failed for days",
}
_TONES = {
    DeliveryStatus.PENDING: "queued",
    DeliveryStatus.DELIVERED: "completed",
    DeliveryStatus.FAILED: "failed",
}
_ERRORS = {
    "endpoint_disabled": "missed: the endpoint was disabled",
    "endpoint_deleted": "the endpoint was deleted",
    "worker_lost": "the worker was lost",
    "gone": "answered 410 Gone",
}


@dataclass(frozen=True, kw_only=True)
class State:
    """`tone` is the status of a job whose colour it has."""

    word: str
    tone: str
    more: str = ""


def state_of(endpoint: Endpoint, now: datetime) -> State:
    """Whether what happens arrives there."""
    if not endpoint.enabled:
        why = _BECAUSE.get(DisabledBecause(endpoint.disabled_because), "")
        tone = "cancelled" if endpoint.disabled_because == DisabledBecause.BY_HAND else "failed"
        return State(word="disabled", tone=tone, more=why)
    if endpoint.is_failing:
        return State(word="failing", tone="blocked", more=_failing(endpoint, now))
    if endpoint.last_success_at is None:
        return State(word="ready", tone="queued", more="nothing was sent yet")
    return State(word="delivering", tone="completed")


def _failing(endpoint: Endpoint, now: datetime) -> str:
    times = endpoint.consecutive_failures
    told = f"{times:,} time{'' if times == 1 else 's'} in a row"
    if endpoint.failing_since is None:
        return told
    return f"for {wording.roughly((now - endpoint.failing_since).total_seconds())}, {told}"


def hears(endpoint: Endpoint) -> str:
    """`Job completed, job failed, of type mail.send, from queue mail`."""
    told = [
        event_label(name).lower() if number else event_label(name)
        for number, name in enumerate(endpoint.events)
    ] or ["All events"]
    told += _narrowed("of type", "of types", endpoint.types)
    told += _narrowed("from queue", "from queues", endpoint.queues)
    return ", ".join(told)


def _narrowed(one: str, many: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return [f"{one if len(names) == 1 else many} {' and '.join([*names[:_NAMED], *more])}"]


def event_label(name: str) -> str:
    return str(_LABELS.get(EventName(name), name)) if name in EventName else name


def tone_of(delivery: Delivery) -> str:
    return _TONES[DeliveryStatus(delivery.status)]


def answer_of(delivery: Delivery) -> str:
    """What was last heard: `200`, `500`, `timed out`."""
    return _answer(delivery.last_status_code, delivery.last_error)


def answer_to(attempt: DeliveryAttempt) -> str:
    return _answer(attempt.status_code, attempt.error)


def _answer(code: int | None, error: str) -> str:
    if error in _ERRORS:
        return _ERRORS[error]
    return str(code) if code is not None else error.replace("_", " ")


def retry_words(retry: Mapping[str, Any] | None) -> str:
    """`3 attempts, after 30 s and 1 min`."""
    waits = strategy_of(retry).waits
    if not waits:
        return "One attempt"
    named = [wording.span(wait) for wait in waits[:_WAITS]]
    more = " and so on" if len(waits) > _WAITS else ""
    return f"{len(waits) + 1} attempts, after {', '.join(named)}{more}"
