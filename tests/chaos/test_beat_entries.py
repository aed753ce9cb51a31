"""Beat's plain entries with two beats, and runs of a schedule that must not overlap."""

from __future__ import annotations

import signal
import sys
from datetime import timedelta
from itertools import pairwise
from typing import Any, cast
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from django_celery_results.models import TaskResult

from jobs.models import Job
from jobs.states import Status
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision
from tests.chaos.crowds import crowd
from tests.support.arena import Arena
from tests.support.waiting import wait_for
from tests.testapp.trace import traces

BEAT = [sys.executable, "-m", "celery", "-A", "config", "beat", "--loglevel=INFO"]
QUEUE = "entries"  # nobody takes what is in it
HOUSEKEEPING = "celeriac: old firings"


def entry(seconds: int, **fields: Any) -> PeriodicTask:
    interval = IntervalSchedule.objects.create(every=seconds, period="seconds")
    return PeriodicTask.objects.create(
        name="entry", task="entries.sent", queue=QUEUE, interval=interval, **fields
    )


def sent(arena: Arena) -> int:
    with arena.redis() as client:
        return cast(int, client.llen(QUEUE))


@pytest.mark.timeout(600)
def test_two_beats_send_an_entry_once_each_time_and_edits_act(arena: Arena) -> None:
    beats = arena.beats("beat-1", "beat-2")
    one = entry(2)
    began = timezone.now()
    wait_for(lambda: sent(arena) >= 4, seconds=60, what="it is sent four times")
    one.refresh_from_db()
    one.enabled = False
    one.save()  # as Celery's page does it
    number = sent(arena)
    one.refresh_from_db()
    elapsed = (timezone.now() - began).total_seconds()
    assert number <= elapsed / 2 + 1
    assert number <= one.total_run_count <= number + 1

    crowd(arena.tenant, 1, seconds=1)
    wait_for(lambda: Firing.objects.count() >= 6, seconds=60, what="beats go on")
    assert sent(arena) <= number + 1, "it was switched off"
    assert all(beat.is_alive for beat in beats)


@pytest.mark.timeout(600)
def test_an_entry_that_was_sent_is_not_sent_again_by_who_comes_after_a_kill(arena: Arena) -> None:
    entry(86_400, last_run_at=timezone.now() - timedelta(days=2))
    (first,) = arena.beats("beat-1")
    wait_for(lambda: sent(arena) == 1, seconds=60, what="it is sent")
    first.kill()
    arena.beats("beat-2")
    crowd(arena.tenant, 1, seconds=1)
    wait_for(lambda: Firing.objects.count() >= 5, seconds=60, what="the next beat goes on")
    assert sent(arena) == 1


@pytest.mark.timeout(600)
def test_housekeeping_is_sent_to_a_worker_and_its_result_is_kept(arena: Arena) -> None:
    (beat,) = arena.beats("beat")
    arena.worker()
    task = PeriodicTask.objects.get(name=HOUSEKEEPING)
    task.last_run_at = timezone.now() - timedelta(days=2)
    task.save()
    kept = TaskResult.objects.filter(periodic_task_name=HOUSEKEEPING, date_created__gte=began())
    done = wait_for(kept.first, seconds=60, what="its result is kept")
    assert (done.status, done.task_name) == ("SUCCESS", "scheduling.remove_old_firings")
    beat.send(signal.SIGTERM)
    assert beat.wait_until_ended(seconds=20) == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("overlap", ["skip", "replace"])
def test_runs_that_may_not_overlap_never_do(arena: Arena, overlap: str) -> None:
    arena.dispatcher()
    arena.worker(slots=2)
    arena.beats("beat")
    (schedule,) = crowd(arena.tenant, 1, seconds=2, overlap=overlap)
    Schedule.objects.filter(pk=schedule.pk).update(type="testing.work", payload={"seconds": 5})
    jobs = Job.objects.filter(schedule_id=schedule.pk)
    ended = jobs.filter(status__in=[Status.COMPLETED, Status.CANCELLED], attempt__gt=0)
    wait_for(lambda: ended.count() >= 3, seconds=120, what="three runs have ended")
    Schedule.objects.filter(pk=schedule.pk).update(enabled=False)
    wait_for(lambda: not jobs.active().exists(), seconds=60, what="all have ended")

    spans = sorted(_spans(arena).values())
    assert len(spans) >= 3
    assert all(before[1] <= after[0] for before, after in pairwise(spans)), "two ran at once"
    skipped = Firing.objects.filter(schedule=schedule, decision=Decision.SKIPPED)
    assert skipped.exists() == (overlap == "skip")
    assert jobs.filter(status=Status.CANCELLED).exists() == (overlap == "replace")


@pytest.mark.timeout(600)
def test_a_broker_that_is_away_from_the_start_holds_up_entries_and_no_schedule(
    arena: Arena,
) -> None:
    entry(2, last_run_at=timezone.now() - timedelta(days=2))
    arena.valkey.stop(signal.SIGKILL)
    (beat,) = arena.beats("beat")
    crowd(arena.tenant, 1, seconds=1)
    wait_for(lambda: Firing.objects.count() >= 8, seconds=60, what="it fires all the same")
    arena.valkey.start()
    wait_for(lambda: sent(arena) >= 1, seconds=90, what="the entry is sent at last")
    arena.valkey.stop(signal.SIGKILL)
    beat.send(signal.SIGTERM)
    assert beat.wait_until_ended(seconds=30) == 0


@pytest.mark.timeout(600)
def test_beats_that_start_before_the_database_wait_for_it(arena: Arena) -> None:
    connection.close()
    arena.postgres.stop(signal.SIGINT)
    beat = arena.start("beat", BEAT)
    wait_for(lambda: "declared schedules wait" in beat.log_text(), seconds=90, what="it has tried")
    arena.postgres.start()
    made = PeriodicTask.objects.filter(name=HOUSEKEEPING)
    wait_for(made.exists, seconds=90, what="its entries are made")
    crowd(arena.tenant, 1, seconds=1)
    wait_for(lambda: Firing.objects.count() >= 2, seconds=60, what="it fires")
    assert beat.is_alive


def _spans(arena: Arena) -> dict[UUID, tuple[float, float]]:
    """Of each job, by what its code left: when it began, and its last sign of life."""
    found: dict[UUID, list[float]] = {}
    for line in traces(arena.trace):
        found.setdefault(UUID(line["attempt"].partition(":")[0]), []).append(line["at"])
    return {job: (min(times), max(times)) for job, times in found.items()}


def began() -> Any:
    return timezone.now() - timedelta(minutes=1)
