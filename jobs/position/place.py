"""The place of a queued job among those of its queue and level, over all tenants who take turns.

Own jobs stand before it by effective priority, then age. Of each other tenant as many go first as
its weight lets start meanwhile, as if all turns began now: with `k` own jobs ahead, those with a
tag smaller than `k / weight`, as `jobs.dispatcher.fairness` gives them out. Held jobs count like
any other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg import sql

from accounts.plans import PLANS
from jobs.effective import configured, priority_of
from jobs.models import Job
from jobs.position.guess import guessed_ahead, guessed_between
from jobs.position.statements import AHEAD, HIGHER, SENT_AHEAD
from jobs.priorities import FLOORS, HIGHEST, Level, level_of
from jobs.states import Status

EXACT_TO = 1000


@dataclass(frozen=True, kw_only=True)
class Position:
    """`place` 1 is next. Not `exact`: an estimate, of which only the size is right."""

    place: int | None
    exact: bool | None


UNKNOWN = Position(place=None, exact=None)


@dataclass(frozen=True, kw_only=True)
class Number:
    """How many jobs go first; not `exact`: about."""

    number: int
    exact: bool


def position_of(job: Job, now: datetime | None = None) -> Position:
    """Of a job that is not queued it is unknown."""
    if job.status != Status.QUEUED:
        return UNKNOWN
    found = _ahead(job, now or timezone.now())
    return Position(place=found.number + 1, exact=found.exact)


def higher_than(job: Job, now: datetime | None = None) -> Number:
    """Queued jobs of the higher levels of its queue: all of them go first."""
    now = now or timezone.now()
    _, ceiling = band_of(level_of(priority_of(job, now)))
    if ceiling == HIGHEST:
        return Number(number=0, exact=True)
    asked = {"floor": ceiling + 1, "ceiling": HIGHEST}
    number, is_cut = _one_row(HIGHER, _parameters(job, now) | asked)
    if number < EXACT_TO and not is_cut:
        return Number(number=number, exact=True)
    guessed = guessed_between(job, ceiling + 1, HIGHEST, now)
    return Number(number=max(number, guessed), exact=False)


def band_of(level: Level) -> tuple[int, int]:
    """The lowest and the highest priority of the level."""
    floor = FLOORS[level]
    above = [other for other in FLOORS.values() if other > floor]
    return floor, min(above, default=HIGHEST + 1) - 1


def _ahead(job: Job, now: datetime) -> Number:
    effective = priority_of(job, now)
    floor, ceiling = band_of(level_of(effective))
    parameters = _parameters(job, now) | {
        "effective": effective, "floor": floor, "ceiling": ceiling,
    }  # fmt: skip
    if job.dispatched_at is not None:
        (sent,) = _one_row(SENT_AHEAD, parameters)
        return Number(number=sent, exact=True)  # the window bounds how many there are
    sent, own, others, weights, is_cut = _one_row(AHEAD, parameters)
    counted = sent + own + others
    if counted < EXACT_TO and not is_cut:
        return Number(number=counted, exact=True)
    guessed = guessed_ahead(job, effective, (floor, ceiling), now, least=own, weights=weights)
    return Number(number=max(counted, sent + guessed), exact=False)


def _parameters(job: Job, now: datetime) -> dict[str, Any]:
    ageing = configured()
    return {
        "queue": job.queue_id,
        "tenant": job.tenant_id,
        "seq": job.seq,
        "dispatched_at": job.dispatched_at,
        "now": now,
        "step": ageing.step,
        "after": ageing.after_seconds,
        "every": max(ageing.every_seconds, 1e-3),
        "highest": ageing.highest,
        "limit": EXACT_TO,
        "weights": json.dumps({plan.name: plan.weight for plan in PLANS.values()}),
    }


def _one_row(statement: str, parameters: dict[str, Any]) -> tuple[Any, ...]:
    """The values are written in by psycopg's own quoting: to find their places in statements this
    long it would read them anew each time, which takes longer than to send them."""
    with connection.cursor() as cursor:
        quoted = {
            name: sql.Literal(value).as_string(connection.connection)
            for name, value in parameters.items()
        }
        cursor.execute(statement % quoted)
        row = cursor.fetchone()
    assert row is not None
    return tuple(row)
