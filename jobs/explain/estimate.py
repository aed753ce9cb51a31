"""How long a queued job is likely to wait: what `explain` expects, at next to no cost.

All but the job's own place is remembered for some seconds in this process: how fast its queue is
worked off, the higher levels, who is at work, and pauses. So it may lag behind by that much. Limits
on concurrency and rates are left out; where one has slowed the queue down for a while, that shows
in how fast it is worked off.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from django.utils import timezone

from jobs.explain import attendance, standing
from jobs.explain.holds import held
from jobs.explain.reason import Reason, latest
from jobs.models import Job
from jobs.policies import snapshot
from jobs.policies.rules import Snapshot
from jobs.position import Position, higher_than
from jobs.priorities import Level, level_of
from jobs.stats import EVERYBODYS, Measured, expected_wait, measured

REMEMBERED_SECONDS = 5.0
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class _Known(Generic[Value]):
    value: Value
    until: float


class Remembered(Generic[Key, Value]):
    """What a look found, for some seconds. When they are over one thread looks again, and the
    others take what is known until it has."""

    def __init__(self) -> None:
        self._known: dict[Key, _Known[Value]] = {}

    def get(self, key: Key, look: Callable[[], Value]) -> Value:
        known, now = self._known.get(key), time.monotonic()
        if known is not None:
            if known.until > now:
                return known.value
            self._known[key] = replace(known, until=now + REMEMBERED_SECONDS)
        value = look()
        self._known[key] = _Known(value=value, until=time.monotonic() + REMEMBERED_SECONDS)
        return value

    def forget(self) -> None:
        self._known.clear()


# As many of each as there are queues, levels and types.
_measured: Remembered[str, Measured] = Remembered()
_higher: Remembered[tuple[str, Level], int] = Remembered()
_at_work: Remembered[tuple[str, str], tuple[Sequence[Reason], int]] = Remembered()
_policies: Remembered[None, Snapshot] = Remembered()


def forget() -> None:
    """Look anew from now on. For tests."""
    for remembered in (_measured, _higher, _at_work, _policies):
        remembered.forget()


def estimated_wait(job: Job, position: Position, priority: int) -> float | None:
    """In seconds; None where nobody can know, or where it is not queued. `priority`: its effective
    one."""
    if position.place is None:
        return None
    now, queue = timezone.now(), job.queue_id
    absent, busy = _at_work.get((queue, job.type), lambda: _looked_for_workers(job))
    policies = _policies.get(None, snapshot.read)
    free_at = latest([*standing.old_lease(job, now), *absent, *held(job, policies, now)], now)
    if free_at is None:
        return None
    level = level_of(priority)
    ahead = position.place - 1 + _higher.get((queue, level), lambda: higher_than(job, now).number)
    return _wait(ahead if standing.is_next(job, now) else ahead + busy, queue, free_at, now)


def _wait(ahead: int, queue: str, free_at: datetime, now: datetime) -> float | None:
    so_far = _measured.get(queue, lambda: measured(EVERYBODYS, queue=queue))
    wait = expected_wait(ahead, so_far)
    return None if wait is None else max((free_at - now).total_seconds(), wait)


def _looked_for_workers(job: Job) -> tuple[Sequence[Reason], int]:
    """What keeps it from any worker, and how many jobs have to end before a slot is free."""
    return attendance.absent(job), len(attendance.busy(job))
