"""How many jobs waited in each level, from the samples of whole minutes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Sum

from jobs.models import DepthSample
from jobs.models.rollup import EVERY_TENANT
from jobs.priorities import Level
from jobs.stats.whose import Whose

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class LevelsPoint:
    """`at` is where its step begins; the deepest sample of the step stands for it."""

    at: datetime
    waiting: Mapping[Level, int]


def levels_of(
    whose: Whose, *, span: timedelta, step: timedelta, now: datetime | None = None
) -> Sequence[LevelsPoint]:
    """Steps begin at whole multiples; a step that nobody sampled shows nothing waiting."""
    assert not whose.owner, "there are no samples by owner"
    last = _start_of((now or datetime.now(UTC)), step)
    moments = [last - step * back for back in range(span // step - 1, -1, -1)]
    deepest = _deepest(whose, moments[0], step)
    nothing = dict.fromkeys(Level, 0)
    return [LevelsPoint(at=at, waiting=deepest.get(at, nothing)) for at in moments]


def _deepest(whose: Whose, since: datetime, step: timedelta) -> dict[datetime, dict[Level, int]]:
    found: dict[datetime, dict[Level, int]] = {}
    for minute, levels in _samples(whose, since).items():
        at = _start_of(minute, step)
        if sum(levels.values()) >= sum(found.get(at, {}).values()):
            found[at] = levels
    return found


def _samples(whose: Whose, since: datetime) -> dict[datetime, dict[Level, int]]:
    tenant = EVERY_TENANT if whose.tenant is None else whose.tenant
    rows = (
        DepthSample.objects.filter(tenant_id=tenant, minute__gte=since)
        .exclude(queue="")
        .values_list("minute", "level")
        .annotate(number=Sum("waiting"))
    )
    found: dict[datetime, dict[Level, int]] = {}
    for minute, level, number in rows:
        found.setdefault(minute, dict.fromkeys(Level, 0))[Level(level)] += number
    return found


def _start_of(moment: datetime, step: timedelta) -> datetime:
    return _EPOCH + (moment - _EPOCH) // step * step
