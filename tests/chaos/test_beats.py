"""Beats are killed, frozen and away, servers come and go: each moment fires once all the same."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F, Max, Min

from jobs.models import Job
from scheduling.models import Firing, Schedule
from tests.chaos.crowds import check_each_fired_once, clock, crowd, wait_until_decided
from tests.support.arena import Arena, leader_pid, wait_until_beating
from tests.support.gate import closed_gate
from tests.support.waiting import wait_for

SWEPT_WITHIN = 10.0  # what is promised of the dispatcher where no beat is
BUSY = 20.0  # seconds more, on a machine that others use too
THREE_HOURS = timedelta(hours=3, minutes=30)
HOUR = timedelta(hours=1)
ROUNDS = 2
# A busy machine may be late; what is late is run all the same.
ALL: dict[str, Any] = {"misfire": "run_all", "misfire_limit": 1_000}


@pytest.mark.timeout(600)
def test_g8_beats_that_are_killed_double_no_moment_and_miss_none(arena: Arena) -> None:
    beats = arena.beats("beat-1", "beat-2")
    schedules = crowd(arena.tenant, 100, seconds=1, **ALL)
    wait_for_more_jobs(100)
    for beat in beats * ROUNDS:
        beat.kill()
        wait_for_more_jobs(100)  # by the other
        beat.start()
        wait_until_beating(beat)
    check_each_fired_once(schedules, clock())


@pytest.mark.timeout(600)
def test_g8_what_a_beat_holds_that_froze_in_the_middle_fires_by_another(arena: Arena) -> None:
    beats = arena.beats("beat-1", "beat-2")
    with closed_gate("scheduling_firing") as gate:
        schedules = crowd(arena.tenant, 5, seconds=2, **ALL)
        gate.wait_until_reached()
        beats[0].send(signal.SIGSTOP)  # it alone, or it and the other, stands before the gate
    wait_for_more_jobs(20)
    beats[0].send(signal.SIGCONT)
    wait_for_more_jobs(20)
    check_each_fired_once(schedules, clock())


@pytest.mark.timeout(600)
def test_g8_schedules_fire_while_redis_and_the_database_come_and_go(arena: Arena) -> None:
    (beat,) = arena.beats("beat")
    schedules = crowd(arena.tenant, 10, seconds=1, **ALL)
    wait_for_more_jobs(20)
    with arena.valkey.frozen():
        wait_for_more_jobs(30)
    arena.valkey.stop(signal.SIGKILL)
    wait_for_more_jobs(30)
    arena.postgres.restart(signal.SIGQUIT)
    wait_for_more_jobs(30)
    arena.valkey.start()
    check_each_fired_once(schedules, clock())
    assert beat.is_alive


def test_g8_without_a_beat_the_dispatcher_fires_within_ten_seconds(arena: Arena) -> None:
    dispatcher = arena.dispatcher()
    wait_for(lambda: leader_pid() == dispatcher.pid, seconds=60, what="it leads")
    schedules = crowd(arena.tenant, 20, seconds=3600, since=HOUR - timedelta(seconds=5))
    end = clock() + timedelta(seconds=5)
    wait_until_decided(end)
    check_each_fired_once(schedules, end)
    late = Job.objects.aggregate(most=Max(F("created_at") - F("scheduled_for")))["most"]
    assert late < timedelta(seconds=SWEPT_WITHIN + BUSY)


@pytest.mark.timeout(600)
def test_g8_after_three_hours_without_a_beat_each_policy_does_what_it_says(arena: Arena) -> None:
    kinds = [("skip", 100), ("run_once", 100), ("run_all", 100), ("run_all", 2)]
    schedules = [
        schedule
        for misfire, limit in kinds
        for schedule in crowd(
            arena.tenant, 250, seconds=3600, since=THREE_HOURS,
            misfire=misfire, misfire_limit=limit,
        )
    ]  # fmt: skip
    end = clock()
    (beat,) = arena.beats("beat")
    wait_until_decided(end)

    for one in schedules:
        moments = due(one, end)
        run = {"skip": [], "run_once": moments[-1:], "run_all": moments}[one.misfire]
        assert ran(one) == run[-one.misfire_limit :]
        decided = one.firings.filter(moment__lte=end).order_by("moment")
        assert list(decided.values_list("moment", flat=True)) == moments
    told = Firing.objects.aggregate(first=Min("decided_at"), last=Max("decided_at"))
    assert told["last"] - told["first"] < timedelta(seconds=5 + BUSY)
    assert beat.is_alive


def due(schedule: Schedule, end: datetime) -> list[datetime]:
    """Its moments of each hour, by counting."""
    hours = (schedule.created_at + number * HOUR for number in range(1, 10))
    return [moment for moment in hours if schedule.effective_from < moment <= end]


def ran(schedule: Schedule) -> list[datetime]:
    jobs = Job.objects.filter(schedule_id=schedule.pk).order_by("scheduled_for")
    return [moment for moment in jobs.values_list("scheduled_for", flat=True) if moment]


def wait_for_more_jobs(number: int) -> None:
    """Until so many more were made than are there now; while the database is away, it waits."""
    count = wait_for(jobs_made, seconds=120, what="some jobs") + number
    wait_for(lambda: jobs_made() >= count, seconds=120, what=f"{number} more jobs")


def jobs_made() -> int:
    """So far; 0 while the database is away."""
    try:
        return Job.objects.count()
    except (OperationalError, InterfaceError):
        connection.close()
        return 0
