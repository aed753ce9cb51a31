"""A year of many kinds of schedules under a clock that stands, leaps and goes back: each moment is
decided once, and as the policies say. What should come is told by the oracle of the cron tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from accounts.models import Tenant
from jobs.models import Job
from scheduling import timing
from scheduling.firing import Firing
from scheduling.models import Calendar, Schedule
from scheduling.models import Firing as Row
from tests.scheduling.cron import oracle
from tests.scheduling.making import since

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
GRACE = timedelta(seconds=60)
MONTH = timedelta(days=31)
HOLIDAYS = (date(2026, 4, 27), date(2026, 12, 25))

RULES = [
    ("30 2 * * *", "Europe/Amsterdam", "once"),
    ("30 2 * * *", "Europe/Amsterdam", "skip"),
    ("15 1,2 * * *", "America/New_York", "all"),
    ("0 */6 * * *", "Australia/Lord_Howe", "once"),
    ("0 0 * * *", "America/Santiago", "once"),
    ("0 9 * * MON-FRI", "Asia/Kolkata", "once"),
    ("0 12 L * *", "UTC", "once"),
    ("45 23 * * FRI#2", "Africa/Cairo", "once"),
    ("0 0 29 2 *", "UTC", "once"),
]
POLICIES = [("skip", 100), ("run_once", 100), ("run_all", 100), ("run_all", 2)]


@dataclass
class Expected:
    """One schedule, its moments by the oracle, and what must have become of those so far."""

    schedule: Schedule
    moments: list[datetime]
    decided: dict[datetime, str] = field(default_factory=dict)
    passed: int = 0

    def look(self, now: datetime) -> None:
        """What has come since the last look is decided now."""
        come = self.passed
        while come < len(self.moments) and self.moments[come] <= now:
            come += 1
        new, self.passed = self.moments[self.passed : come], come
        left_out = {moment for moment in new if self._is_left_out(moment)}
        self.decided |= dict.fromkeys(left_out, "skipped")
        rest = [moment for moment in new if moment not in left_out]
        late = [moment for moment in rest if now - moment > GRACE]
        in_time = rest[len(late) :]
        run = self._late_that_run(late, in_time)
        for moment in rest:
            self.decided[moment] = "fired" if moment in in_time or moment in run else "missed"

    def _late_that_run(self, late: list[datetime], in_time: list[datetime]) -> list[datetime]:
        if self.schedule.misfire == "run_all":
            return late[-self.schedule.misfire_limit :]
        return late[-1:] if self.schedule.misfire == "run_once" and not in_time else []

    def _is_left_out(self, moment: datetime) -> bool:
        day = moment.astimezone(ZoneInfo(self.schedule.timezone)).date()
        return self.schedule.description == "closed" and day in HOLIDAYS


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_g8_in_a_year_of_a_bad_clock_each_moment_is_decided_once_by_its_policy(seed: int) -> None:
    tenant = Tenant.objects.get(slug="default")
    all_expected = [*_by_cron(tenant), *_by_period(tenant)]
    firing = Firing()
    furthest = BEGIN
    for now in _bad_clock(Random(seed)):
        firing.run(now)
        if now > furthest:  # what has come already was decided; a clock put back changes nothing
            furthest = now
            for one in all_expected:
                one.look(now)
    assert furthest >= END
    assert sum(len(one.moments) for one in all_expected) > 3_000
    for one in all_expected:
        _check(one)


def _check(one: Expected) -> None:
    told = Row.objects.filter(schedule=one.schedule).values_list("moment", "decision")
    assert dict(told) == one.decided, f"{one.schedule.cron_expression} {one.schedule.misfire}"
    assert len(told) == len(one.decided)
    jobs = Counter(
        Job.objects.filter(schedule_id=one.schedule.pk).values_list("scheduled_for", flat=True)
    )
    fired = [moment for moment, decision in one.decided.items() if decision == "fired"]
    assert jobs == Counter(fired)


def _by_cron(tenant: Tenant) -> Iterator[Expected]:
    closed = Calendar.objects.create(tenant=tenant, name="closed", dates=list(HOLIDAYS))
    for (cron, zone, dst), (misfire, limit) in product(RULES, POLICIES):
        fields: dict[str, Any] = {"timezone": zone, "dst_policy": dst}
        if misfire == "run_all":
            fields |= {"description": "closed", "calendar_ids": (closed.pk,)}
        schedule = since(tenant, BEGIN, cron, misfire=misfire, misfire_limit=limit, **fields)
        if limit == 2:
            _bound(schedule)
        moments = _by_the_oracle(cron, zone, dst)
        first, last = schedule.starts_at or BEGIN + timedelta(microseconds=1), schedule.ends_at
        yield Expected(
            schedule, [at for at in moments if at >= first and (last is None or at <= last)]
        )


@cache
def _by_the_oracle(cron: str, zone: str, dst: str) -> list[datetime]:
    found = oracle.moments(cron, ZoneInfo(zone), dst, BEGIN, END)
    oracle.forget()  # a year of one zone takes 130 MB
    return found


def _bound(schedule: Schedule) -> None:
    """By hand: a year that is over by today's clock would be refused."""
    schedule.starts_at, schedule.ends_at = BEGIN + MONTH, END - MONTH
    schedule.next_moment = timing.next_moment(schedule, BEGIN)
    schedule.save()


def _by_period(tenant: Tenant) -> Iterator[Expected]:
    for hours, (misfire, limit) in product((7, 50), POLICIES):
        schedule = since(tenant, BEGIN, f"@every {hours}h", misfire=misfire, misfire_limit=limit)
        period = timedelta(hours=hours)
        count = int((END - BEGIN) / period)
        yield Expected(schedule, [BEGIN + number * period for number in range(1, count + 1)])


def _bad_clock(random: Random) -> Iterator[datetime]:
    """Mostly it goes on by minutes or hours; now and then by days, and back; it ends at the end."""
    now = BEGIN
    while now < END:
        leap = random.random()
        if leap < 0.1:
            now -= timedelta(hours=random.uniform(0, 30))
        elif leap < 0.2:
            now += timedelta(days=random.uniform(1, 20))
        else:
            now += timedelta(hours=random.choice([0.01, 1, 6, 24]) * random.uniform(0.5, 1.5))
        # Often just after a full hour, where moments are in time.
        if random.random() < 0.5:
            now = now.replace(minute=0, second=random.randrange(60), microsecond=0)
        yield min(now, END)
    yield END
