"""Figures of a day that never was, as the dispatcher would have written them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import pi, sin

from jobs.models import DepthSample, Rollup, RollupMark
from jobs.models.rollup import EVERY_TENANT
from jobs.priorities import Level
from jobs.stats.histogram import counted
from jobs.stats.rollup import MARK

_MINUTES = 24 * 60
_SHARES = {Level.LOW: 34, Level.NORMAL: 22, Level.HIGH: 8, Level.URGENT: 1}


def write_last_day() -> None:
    """What ends from now on is added by the dispatcher itself."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    RollupMark.objects.update_or_create(name=MARK, defaults={"until": datetime.now(UTC)})
    chance = random.Random(7)  # noqa: S311 (for pictures)
    minutes = [now - timedelta(minutes=back) for back in range(1, _MINUTES)]
    rows = [_rollup(minute, chance) for minute in minutes]
    Rollup.objects.bulk_create(rows, ignore_conflicts=True)
    samples = [sample for minute in minutes for sample in _samples(minute, chance)]
    DepthSample.objects.bulk_create(samples, ignore_conflicts=True)


def _tide(minute: datetime) -> float:
    """0 to 1: little at night, most after noon, a hump every three quarters of an hour."""
    hour = minute.hour + minute.minute / 60
    day = 0.5 + 0.5 * sin((hour - 8) / 24 * 2 * pi)
    return 0.25 + 0.5 * day + 0.25 * (0.5 + 0.5 * sin(minute.timestamp() / 430))


def _rollup(minute: datetime, chance: random.Random) -> Rollup:
    ended = int(120 * _tide(minute) * chance.uniform(0.75, 1.1))
    failed = int(ended * chance.choice((0, 0, 0.01, 0.02, 0.03)))
    return Rollup(
        minute=minute, tenant_id=EVERY_TENANT, completed=ended - failed, failed=failed,
        completed_after_retry=failed, run_seconds=ended * 0.8, waits=counted(15, ended),
    )  # fmt: skip


def _samples(minute: datetime, chance: random.Random) -> Iterator[DepthSample]:
    waiting = {
        level: int(share * _tide(minute) ** 2 * chance.uniform(0.6, 1.3))
        for level, share in _SHARES.items()
    }
    for level, number in waiting.items():
        yield DepthSample(
            minute=minute, tenant_id=EVERY_TENANT, queue="default", level=level.value,
            waiting=number,
        )  # fmt: skip
    yield DepthSample(
        minute=minute, tenant_id=EVERY_TENANT, waiting=sum(waiting.values()), processing=6
    )
