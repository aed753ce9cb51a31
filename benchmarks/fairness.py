"""How long others wait while one tenant floods: waits from hand-in to start, by tenant.

    .venv/bin/python -m benchmarks.fairness [--flood 100000] [--seconds 60] [--children 2]

Tenant A hands in the flood at once. Nine others of the same weight and level hand in ten jobs a
second between them, first alone for a quarter of the time, then beside the flood. Prints the
figures and draws `docs/images/fairness.svg`. It ends by itself, its servers with it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fairness_plot import draw
from benchmarks.stage import celery_worker, process, servers
from config.bootstrap import ROOT

if TYPE_CHECKING:
    from accounts.models import Tenant

PICTURE = ROOT / "docs" / "images" / "fairness.svg"
FLOODING, OTHERS = "a", tuple(f"t{number}" for number in range(1, 10))
TYPE = "diagnostics.echo"
A_SECOND = 10  # jobs of the others together
AT_ONCE = 1000  # jobs of the flood in one INSERT
PATIENCE = 120.0  # seconds for the others' last jobs to start


@dataclass(frozen=True, kw_only=True)
class Waits:
    """Of started jobs, in seconds."""

    number: int
    p50: float
    p95: float
    most: float

    @staticmethod
    def of(waits: Iterable[float]) -> Waits:
        ordered = sorted(waits)
        return Waits(
            number=len(ordered),
            p50=statistics.median(ordered),
            p95=ordered[round(0.95 * (len(ordered) - 1))],
            most=ordered[-1],
        )


@dataclass(frozen=True, kw_only=True)
class Figures:
    alone: Waits  # the others without the flood
    others: Waits  # beside it
    flooding: Waits
    started_per_second: float  # of all tenants, beside the flood
    flooded: int
    left: int  # of the flood, when the others' last job had started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flood", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with servers():
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        with process("manage.py", "dispatch"), process(*celery_worker("config", options.children)):
            figures, picture = measured(options.flood, options.seconds)
    options.picture.write_text(picture, encoding="utf-8")
    print(json.dumps(asdict(figures)) if options.json else table(figures))


def measured(flood: int, seconds: float) -> tuple[Figures, str]:
    """The figures, and a picture of each start."""
    tenants = {slug: _tenant(slug) for slug in (FLOODING, *OTHERS)}
    others = [tenants[slug] for slug in OTHERS]
    _hand_in_steadily(others, 1)
    _wait_until_started()  # so that no start of a process is measured
    quiet = _now()
    _hand_in_steadily(others, seconds / 4)
    _wait_until_started()
    began = _flood(tenants[FLOODING], flood)
    _hand_in_steadily(others, seconds)
    _wait_until_started()
    ended = _now()
    of_flood = list(_starts(tenants[FLOODING], began))
    of_others = [start for other in others for start in _starts(other, began)]
    figures = Figures(
        alone=Waits.of(wait for other in others for _, wait in _starts(other, quiet, began)),
        others=Waits.of(wait for _, wait in of_others),
        flooding=Waits.of(wait for _, wait in of_flood),
        started_per_second=(len(of_flood) + len(of_others)) / (ended - began).total_seconds(),
        flooded=flood,
        left=flood - len(of_flood),
    )
    picture = draw(flooding=_seconds_from(began, of_flood), others=_seconds_from(began, of_others))
    return figures, picture


def _tenant(slug: str) -> Tenant:
    from accounts.models import Tenant

    return Tenant.objects.get_or_create(slug=slug, defaults={"plan_name": "basic"})[0]


def _flood(tenant: Tenant, number: int) -> datetime:
    """When its first job was handed in."""
    from jobs.enqueue import JobRequest, enqueue_many

    began = _now()
    for done in range(0, number, AT_ONCE):
        one = JobRequest(type_name=TYPE, payload={})
        enqueue_many(tenant, [one] * min(AT_ONCE, number - done))
    return began


def _hand_in_steadily(tenants: list[Tenant], seconds: float) -> None:
    """So many a second, one tenant after the other."""
    from jobs.enqueue import enqueue

    turns, began = cycle(tenants), time.monotonic()
    number = max(1, round(seconds * A_SECOND))
    for each in range(number):
        time.sleep(max(0.0, began + each / A_SECOND - time.monotonic()))
        enqueue(next(turns), TYPE, {})


def _wait_until_started() -> None:
    """Until none of the others' jobs waits any more."""
    from jobs.models import Job

    waiting = Job.objects.filter(tenant__slug__in=OTHERS, started_at=None)
    deadline = time.monotonic() + PATIENCE
    while waiting.exists():
        if time.monotonic() > deadline:
            raise SystemExit(f"{waiting.count()} jobs had not started after {PATIENCE} s")
        time.sleep(0.1)


Start = tuple[datetime, float]  # when, and after how many seconds of waiting


def _starts(tenant: Tenant, since: datetime, until: datetime | None = None) -> Iterator[Start]:
    """Of the jobs of a tenant that were handed in within this time."""
    from jobs.models import Job

    jobs = Job.objects.filter(tenant=tenant, created_at__gte=since).exclude(started_at=None)
    if until:
        jobs = jobs.filter(created_at__lt=until)
    for created_at, started_at in jobs.values_list("created_at", "started_at"):
        if started_at is not None:
            waited: timedelta = started_at - created_at
            yield started_at, waited.total_seconds()


def _seconds_from(began: datetime, starts: Iterable[Start]) -> list[tuple[float, float]]:
    return sorted(((started_at - began).total_seconds(), wait) for started_at, wait in starts)


def _now() -> datetime:
    """By the database's clock."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime)
    return now


def table(figures: Figures) -> str:
    rows = {
        "others, alone": figures.alone,
        "others, beside the flood": figures.others,
        "the flooding tenant": figures.flooding,
    }
    lines = [f"{'wait in seconds':<26}{'started':>9}{'p50':>9}{'p95':>9}{'most':>9}"]
    lines += [
        f"{name:<26}{waits.number:>9,}{waits.p50:>9.3f}{waits.p95:>9.3f}{waits.most:>9.3f}"
        for name, waits in rows.items()
    ]
    lines.append(
        f"{figures.started_per_second:.0f} starts a second in all; of {figures.flooded:,} flooded "
        f"jobs {figures.left:,} still waited at the end"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
