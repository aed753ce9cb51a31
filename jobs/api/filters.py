"""The filters of the list of jobs: each a query parameter and the condition it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

from django.db.models import Q
from django.http import QueryDict

from accounts.api import moment
from accounts.api.refusals import FieldRefusal, Unprocessable
from jobs import registry
from jobs.exceptions import UnknownJobType
from jobs.models import Queue
from jobs.priorities import FLOORS, HIGHEST, Level, level_of
from jobs.states import Status

T = TypeVar("T")
Filters = Mapping[str, Callable[[list[str]], Q]]
REPEATABLE = frozenset({"status"})


def condition(query: QueryDict, filters: Filters | None = None) -> Q:
    """All filters of the query at once, of jobs if no others are given. Raises Unprocessable with
    every one that is wrong."""
    wanted, refusals = Q(), []
    for name, of in (filters or FILTERS).items():
        if name not in query:
            continue
        try:
            wanted &= of(_values(name, query))
        except ValueError as error:
            refusals.append(FieldRefusal(f"/{name}", str(error)))
    if refusals:
        raise Unprocessable(refusals)
    return wanted


def _values(name: str, query: QueryDict) -> list[str]:
    values = query.getlist(name)
    if len(values) > 1 and name not in REPEATABLE:
        raise ValueError("stands more than once")
    if any("\x00" in value for value in values):
        raise ValueError("contains a NUL character")
    return values


def _status(values: list[str]) -> Q:
    known = {status.value for status in Status}
    return Q(status__in=sorted({_one_of(value, known) for value in values}))


def _type(values: list[str]) -> Q:
    try:
        return Q(type=registry.get_public(values[0]).name)
    except UnknownJobType as error:
        raise ValueError(str(error)) from None


def _queue(values: list[str]) -> Q:
    if not Queue.objects.filter(pk=values[0], internal=False).exists():
        raise ValueError("no such queue")
    return Q(queue=values[0])


def _level(values: list[str]) -> Q:
    level = _level_named(values[0])
    above = [floor for floor in FLOORS.values() if floor > FLOORS[level]]
    return Q(priority__gte=FLOORS[level], priority__lt=min(above, default=HIGHEST + 1))


def _level_named(text: str) -> Level:
    """A level, by its name or by a priority in it."""
    if re.fullmatch("[0-9]{1,3}", text) and int(text) <= HIGHEST:
        return level_of(int(text))
    return Level(_one_of(text, {level.value for level in Level}))


def _label(values: list[str]) -> Q:
    key, colon, value = values[0].partition(":")
    if not (key and colon):
        raise ValueError("a label is written key:value")
    return Q(labels__contains={key: value})


def _id(values: list[str]) -> UUID:
    if len(values[0]) != 36:  # UUID() also takes braces, urn: and no hyphens
        raise ValueError("an id is a UUID")
    return UUID(values[0])


def _dead(values: list[str]) -> Q:
    dead = Q(status=Status.FAILED, discarded_at=None)
    return dead if _one_of(values[0], {"true", "false"}) == "true" else ~dead


def _one_of(value: str, known: set[str]) -> str:
    if value not in known:
        raise ValueError(f"one of {', '.join(sorted(known))}")
    return value


FILTERS: Filters = {
    "status": _status,
    "type": _type,
    "queue": _queue,
    "level": _level,
    "batch_id": lambda values: Q(batch=_id(values)),
    "workflow_id": lambda values: Q(workflow=_id(values)),
    "schedule_id": lambda values: Q(schedule_id=_id(values)),
    "owner": lambda values: Q(owner=values[0]),
    "label": _label,
    "dead": _dead,
    "created_after": lambda values: Q(created_at__gt=moment.parsed(values[0])),
    "created_before": lambda values: Q(created_at__lt=moment.parsed(values[0])),
}
