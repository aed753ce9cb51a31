"""The options of a job: as given, and decided, with defaults filled in and bounds checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings

from accounts.plans import Plan
from jobs import duplicates, priorities, webhook_url
from jobs.backoff import POLICIES, Backoff
from jobs.duplicates import OnDuplicate
from jobs.exceptions import FieldError, InvalidOptions, UnknownQueue, pointer
from jobs.models import OnFailure, Queue

if TYPE_CHECKING:
    from jobs.job_type import JobType

MAX_RETRIES = 100
MAX_TIMEOUT_SECONDS = 86_400
MAX_ESTIMATE_SECONDS = 2**31 - 1
MAX_KEY_LENGTH = 255
MAX_LABELS = 32
MAX_DELAY_SECONDS = 10 * 365 * 86_400


@dataclass(frozen=True, kw_only=True)
class DependsOn:
    """Wait for this job to end; what its failure means is `on_failure`'s to say."""

    job_id: UUID
    on_failure: OnFailure = OnFailure.CANCEL


@dataclass(frozen=True, kw_only=True)
class JobOptions:
    """How a job is to be run. None and empty mean the type's, the plan's or no choice.

    `webhook_url` is told when the job completes or fails.
    `retry_backoff` is a `Backoff` or the name of a ready-made one. What a unique key does, with
    `unique_for_seconds`, `on_duplicate` and `debounce_seconds`: docs/reference/handing-in.md.
    """

    queue: str | None = None
    priority: int | str | None = None
    run_at: datetime | None = None
    delay_seconds: float | None = None
    expires_at: datetime | None = None
    max_retries: int | None = None
    retry_backoff: Backoff | str | None = None
    timeout_seconds: int | None = None
    unique_key: str = ""
    unique_for_seconds: float | None = None
    on_duplicate: OnDuplicate | str = OnDuplicate.EXISTING
    debounce_seconds: float | None = None
    debounce_max_seconds: float | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    depends_on: Sequence[DependsOn] = ()
    estimated_duration_seconds: int | None = None
    owner: str = ""
    created_by: str = ""
    webhook_url: str = ""
    schedule_id: UUID | None = None
    scheduled_for: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Decided:
    queue: str
    priority: int
    start_at: datetime | None
    max_retries: int
    retry_backoff: dict[str, Any] | None
    timeout_seconds: int
    unique_until: datetime | None  # where the job has a unique key


def decide(given: JobOptions, job_type: JobType[Any, Any], plan: Plan, *, now: datetime) -> Decided:
    """Raises UnknownQueue, or InvalidOptions with every broken rule at once."""
    has_key = bool(given.unique_key) or job_type.unique_key is not None
    errors = duplicates.mistakes_in(given, has_key=has_key)
    if job_type.internal:
        plan = replace(plan, highest_priority=priorities.HIGHEST)
    priority = plan.default_priority
    if given.priority is not None:
        priority = checked_priority(given.priority, plan, errors)
    start_at = _start(given, now, errors)
    max_retries = job_type.max_retries if given.max_retries is None else given.max_retries
    timeout = given.timeout_seconds or job_type.timeout_seconds or settings.JOB_TIMEOUT_SECONDS
    check_max_retries(max_retries, errors)
    _bound(
        errors,
        "/estimated_duration_seconds",
        given.estimated_duration_seconds or 0,
        0,
        MAX_ESTIMATE_SECONDS,
    )
    _bound(
        errors, "/timeout_seconds", _given(given.timeout_seconds, timeout), 1, MAX_TIMEOUT_SECONDS
    )
    backoff = _backoff(given.retry_backoff, errors)
    _check_texts(given, errors)
    errors += webhook_url.mistakes_in(given.webhook_url)
    if errors:
        raise InvalidOptions(errors)
    return Decided(
        queue=_queue(given.queue or job_type.queue, is_ours=job_type.internal),
        priority=priority,
        start_at=start_at,
        max_retries=max_retries,
        retry_backoff=asdict(backoff) if backoff else None,
        timeout_seconds=timeout,
        unique_until=_unique_until(given.unique_for_seconds or job_type.unique_for_seconds, now),
    )


def _unique_until(seconds: float | None, now: datetime) -> datetime | None:
    return now + timedelta(seconds=seconds) if seconds else None


def _backoff(given: Backoff | str | None, errors: list[FieldError]) -> Backoff | None:
    if isinstance(given, str):
        if given not in POLICIES:
            errors.append(FieldError("/retry_backoff", f"one of {', '.join(POLICIES)}"))
        return POLICIES.get(given)
    if given and not given.is_sound:
        errors.append(FieldError("/retry_backoff", "must be finite, not negative, jitter 0 to 1"))
    return given


def check_max_retries(value: int, errors: list[FieldError]) -> None:
    _bound(errors, "/max_retries", value, 0, MAX_RETRIES)


def _given(value: int | None, default: int) -> int:
    return default if value is None else value


def _bound(errors: list[FieldError], pointer: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        errors.append(FieldError(pointer, f"must be {low} to {high:,}"))


def checked_priority(value: int | str, plan: Plan, errors: list[FieldError]) -> int:
    """The priority as a number, from either form; what is wrong with it goes to `errors`."""
    try:
        priority = priorities.parse(value)
    except ValueError as error:
        errors.append(FieldError("/priority", str(error)))
        return plan.default_priority
    if priority > plan.highest_priority:
        text = f"is above the highest of plan {plan.name!r}: {plan.highest_priority}"
        errors.append(FieldError("/priority", text))
    return priority


def _start(given: JobOptions, now: datetime, errors: list[FieldError]) -> datetime | None:
    """When the job may start, or None for now."""
    _check_times(given, errors)
    if errors:
        return None
    delay = timedelta(seconds=given.delay_seconds or given.debounce_seconds or 0)
    start = given.run_at or now + delay
    if given.expires_at and given.expires_at <= max(now, start):
        errors.append(FieldError("/expires_at", "is over before the job may start"))
    return start if start > now else None


def _check_times(given: JobOptions, errors: list[FieldError]) -> None:
    if given.run_at and given.delay_seconds is not None:
        errors.append(FieldError("/delay_seconds", "cannot stand beside run_at"))
    if given.delay_seconds is not None and not 0 <= given.delay_seconds <= MAX_DELAY_SECONDS:
        errors.append(FieldError("/delay_seconds", f"must be 0 to {MAX_DELAY_SECONDS:,}"))
    for name, moment in (("run_at", given.run_at), ("expires_at", given.expires_at)):
        if moment is not None and moment.tzinfo is None:
            errors.append(FieldError(f"/{name}", "needs a time zone"))


def _check_texts(given: JobOptions, errors: list[FieldError]) -> None:
    for name, text in (("unique_key", given.unique_key), ("owner", given.owner)):
        check_short_text(name, text, errors)
    check_labels(given.labels, errors)


def check_short_text(name: str, text: str, errors: list[FieldError]) -> None:
    if not _is_short_text(text):
        errors.append(FieldError(f"/{name}", _SHORT_TEXT))


def check_labels(labels: Mapping[str, str], errors: list[FieldError]) -> None:
    if len(labels) > MAX_LABELS:
        errors.append(FieldError("/labels", f"at most {MAX_LABELS} labels"))
    for key, value in labels.items():
        if not key or not _is_short_text(key) or not _is_short_text(value):
            errors.append(FieldError(pointer("labels", key), _SHORT_TEXT))


_SHORT_TEXT = f"a text of at most {MAX_KEY_LENGTH} characters, without NUL or lone surrogates"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _is_short_text(text: object) -> bool:
    return isinstance(text, str) and len(text) <= MAX_KEY_LENGTH and not _UNSTORABLE.search(text)


_known_queues: dict[str, bool] = {}  # name → whether it is internal


def _queue(name: str, *, is_ours: bool) -> str:
    """The name, if such a queue exists; an internal one exists for the platform's own types only.
    Queues are never deleted, so a known one is remembered."""
    if name not in _known_queues:
        _known_queues.update(Queue.objects.filter(pk=name).values_list("name", "internal"))
    if name not in _known_queues or _known_queues[name] > is_ours:
        raise UnknownQueue(f"There is no queue {name!r}.", name=name)
    return name
