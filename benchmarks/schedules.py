"""Whether each moment of each schedule becomes one job while beats are killed, and how late.

    .venv/bin/python -m benchmarks.schedules [--beats 5] [--schedules 1000] [--seconds 180]
        [--kill-every 15]
    .venv/bin/python -m benchmarks.schedules --at-once 5000

The first has schedules of `@every 5s` fired by several beats, which are killed (SIGKILL) and
started again at random, and by the sweep of a dispatcher. What should have become of that is
counted by the database alone, from when each schedule was made; the schedules run all that is
late, so that a machine too slow for them shows as lateness and nothing else. The second has
schedules that are all due in the same second, and one beat.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.stage import process, servers
from config.bootstrap import ROOT
from config.leash import end_with_parent

if TYPE_CHECKING:
    from scheduling.models import Schedule

PERIOD = 5  # seconds
_BEAT = [sys.executable, "-m", "celery", "-A", "config", "beat", "--loglevel=WARNING"]
_START_SECONDS = 300.0
_MEGABYTE = 2**20

# Each moment that there should have been, by the database's own arithmetic.
_EXPECTED = """
    WITH expected AS (
        SELECT s.id AS schedule_id, s.created_at + k * s.period AS moment
          FROM (SELECT *, %(period)s * interval '1 second' AS period
                  FROM scheduling_schedule) s,
               generate_series(1, (extract(epoch FROM %(end)s - s.created_at) / %(period)s)::int) k
         WHERE s.created_at + k * s.period > s.effective_from
           AND s.created_at + k * s.period <= %(end)s),
    job AS (
        SELECT schedule_id, scheduled_for AS moment, count(*) AS number,
               extract(epoch FROM min(created_at) - scheduled_for) AS late
          FROM jobs_job WHERE scheduled_for <= %(end)s GROUP BY 1, 2)
    SELECT (SELECT count(*) FROM expected) AS moments,
           (SELECT coalesce(sum(number), 0) FROM job)::int AS jobs,
           (SELECT count(*) FROM job WHERE number > 1) AS doubled,
           (SELECT count(*) FROM (TABLE expected EXCEPT SELECT schedule_id, moment FROM job) x)
               AS missed,
           (SELECT count(*) FROM (SELECT schedule_id, moment FROM job EXCEPT TABLE expected) x)
               AS strange,
           (SELECT count(*) FROM (
               TABLE expected EXCEPT
               SELECT schedule_id, moment FROM scheduling_firing WHERE decision = 'fired') x)
               AS not_told,
           (SELECT percentile_cont(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY late) FROM job)
               AS late
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beats", type=int, default=5)
    parser.add_argument("--schedules", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--kill-every", type=float, default=15, help="seconds, on average")
    parser.add_argument("--at-once", type=int, metavar="N", help="schedules due in one second")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ["SCHEDULE_MIN_INTERVAL_SECONDS"] = "1"
    with servers():
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        figures = at_once(options.at_once) if options.at_once else under_fire(options)
    print(json.dumps(figures) if options.json else "\n".join(map(_line, figures.items())))


def _line(figure: tuple[str, Any]) -> str:
    name, value = figure
    number = f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"
    return f"{name.replace('_', ' '):<24}{number:>12}"


# --- beats under fire --------------------------------------------------------------------------


def under_fire(options: argparse.Namespace) -> dict[str, Any]:
    beats, schedules = options.beats, options.schedules
    with ExitStack() as stack:
        stack.enter_context(process("manage.py", "dispatch"))
        running = [stack.enter_context(beat()) for _ in range(beats)]
        _until(_beat_lives, "a beat lives")
        began = _clock()
        crowd(schedules, f"@every {PERIOD}s", lambda n: timedelta(seconds=PERIOD * n / schedules))
        kills = _fire_upon(running, options.seconds, options.kill_every)
        memory = max(one.most_memory for one in running)
        end = _clock()
        _until(lambda: not _due(end), "all that was due is decided")
    passed = (end - began).total_seconds()
    counted = _counted(end)
    return {
        "beats": beats,
        "schedules": schedules,
        "seconds": passed,
        "kills": kills,
        **counted,
        "jobs_a_second": counted["jobs"] / passed,
        "beat_rss_mb": memory / _MEGABYTE,
    }


def _fire_upon(running: list[Beat], seconds: float, every: float) -> int:
    """Kill one at random every few seconds, and start it again at once. How many were killed."""
    kills, until = 0, time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, random.uniform(0, 2 * every)))
        for one in running:
            one.look()
        random.choice(running).kill_and_start()
        kills += 1
    return kills


def _counted(end: datetime) -> dict[str, Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_EXPECTED, {"end": end, "period": PERIOD})
        names = [column.name for column in cursor.description or ()]
        found = dict(zip(names, cursor.fetchone() or (), strict=True))
    p50, p95, most = (float(value) for value in found.pop("late"))
    return {**found, "late_p50": p50, "late_p95": p95, "late_most": most}


# --- many in the same second -------------------------------------------------------------------


def at_once(number: int) -> dict[str, Any]:
    from jobs.models import Job

    with beat() as one:
        _until(_beat_lives, "the beat lives")
        crowd(number, "@every 1h", lambda _: timedelta())
        moment = _clock().replace(microsecond=0) + timedelta(seconds=3)
        _put_all_at(moment)
        _until(lambda: _clock() >= moment, "the second comes")
        _until(lambda: Job.objects.count() >= number, "all jobs are there")
        taken = (_clock() - moment).total_seconds()
        one.look()
    return {
        "schedules": number,
        "seconds_to_the_last": taken,
        "jobs_a_second": number / taken,
        "beat_rss_mb": one.most_memory / _MEGABYTE,
    }


def _put_all_at(moment: datetime) -> None:
    from scheduling.models import Schedule

    Schedule.objects.update(
        created_at=moment - timedelta(hours=1), effective_from=moment - timedelta(hours=1),
        next_moment=moment, next_run_at=moment,
    )  # fmt: skip


# --- beats, schedules, time --------------------------------------------------------------------


class Beat:
    most_memory = 0

    def __init__(self) -> None:
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            _BEAT, cwd=ROOT, stdout=subprocess.DEVNULL,
            preexec_fn=lambda: end_with_parent(signal.SIGKILL)(),
        )  # fmt: skip

    def look(self) -> None:
        memory = psutil.Process(self._process.pid).memory_info().rss
        self.most_memory = max(self.most_memory, memory)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def kill_and_start(self) -> None:
        self.kill()
        self._process = self._started()


@contextmanager
def beat() -> Iterator[Beat]:
    running = Beat()
    try:
        yield running
    finally:
        running.kill()


def crowd(number: int, expression: str, offset: Callable[[int], timedelta]) -> None:
    """So many schedules at once, each with its row among beat's, as if made by and by before."""
    from django_celery_beat.models import IntervalSchedule, PeriodicTask

    from accounts.ids import new_id
    from accounts.models import Tenant
    from scheduling import timing
    from scheduling.beat_rows import TASK
    from scheduling.models import Schedule

    tenant = Tenant.objects.get(slug="default")
    interval = IntervalSchedule.objects.create(every=PERIOD, period="seconds")
    tasks = [PeriodicTask(name=f"s {n}", task=TASK, interval=interval) for n in range(number)]
    PeriodicTask.objects.bulk_create(tasks)
    now = _clock()
    rows: list[Schedule] = []
    for n, task in enumerate(tasks):
        row = Schedule(
            id=new_id(), tenant=tenant, name=f"s {n}", type="diagnostics.echo",
            cron_expression=expression, created_at=now - offset(n), effective_from=now,
            periodic_task=task, misfire="run_all", misfire_limit=1000,
        )  # fmt: skip
        row.next_moment = row.next_run_at = timing.next_moment(row, now)
        rows.append(row)
    Schedule.objects.bulk_create(rows)


def _clock() -> datetime:
    """The database's, which decides."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def _beat_lives() -> bool:
    from jobs.models import Heartbeat

    return Heartbeat.objects.filter(duty="scheduler").exists()


def _due(end: datetime) -> bool:
    from scheduling.models import Schedule

    return Schedule.objects.filter(next_moment__lte=end).exists()


def _until(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not look():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {_START_SECONDS} s: {what}")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
