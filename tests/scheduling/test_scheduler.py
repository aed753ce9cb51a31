"""Beat's own process: what is sent beside firing, and goes on whatever is away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NoReturn

import pytest
from django.db import OperationalError
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from kombu.exceptions import OperationalError as BrokerAway

from config.celery import app
from jobs.models import Heartbeat
from scheduling import scheduler
from scheduling.entries import Entry
from tests.support.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.get_default_timezone())


@pytest.fixture
def row() -> PeriodicTask:
    interval = IntervalSchedule.objects.create(every=86_400, period="seconds")
    return PeriodicTask.objects.create(
        name="entry", task="entries.sent", interval=interval, last_run_at=LONG_AGO
    )


@pytest.fixture
def beat() -> scheduler.Scheduler:
    """One that has no thread."""
    return scheduler.Scheduler(app=app, lazy=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "_ENTRIES_AGAIN_SECONDS", "_SEND_AGAIN_SECONDS"):
        monkeypatch.setattr(scheduler, name, 0.05)


@pytest.fixture
def at_work(quick: None) -> Iterator[list[scheduler.Scheduler]]:
    """Schedulers that are closed at the end, their threads with them."""
    begun: list[scheduler.Scheduler] = []
    yield begun
    for one in begun:
        one.close()
        thread = one._beside
        assert thread is not None
        thread.join(timeout=60)
        assert not thread.is_alive()


def away(*_: Any, **__: Any) -> NoReturn:
    raise BrokerAway("the broker is away")


def test_an_entry_that_could_not_be_sent_is_due_as_before(
    beat: scheduler.Scheduler, row: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beat, "send_task", away)
    beat.apply_entry(Entry(row, app=app))
    row.refresh_from_db()
    assert (row.last_run_at, row.total_run_count) == (LONG_AGO, 0)


def test_one_that_never_ran_and_could_not_be_sent_still_never_ran(
    beat: scheduler.Scheduler, row: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"last_run_at": None, "date_changed": LONG_AGO}
    PeriodicTask.objects.filter(pk=row.pk).update(**changes)
    row.refresh_from_db()
    monkeypatch.setattr(beat, "send_task", away)
    beat.apply_entry(Entry(row, app=app))
    row.refresh_from_db()
    assert (row.last_run_at, row.total_run_count) == (None, 0)


def test_what_another_beat_has_claimed_since_is_not_set_back(
    beat: scheduler.Scheduler, row: PeriodicTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timezone.now() + timedelta(days=2)

    def claimed_meanwhile(*_: Any, **__: Any) -> NoReturn:
        PeriodicTask.objects.filter(pk=row.pk).update(last_run_at=later)
        away()

    monkeypatch.setattr(beat, "send_task", claimed_meanwhile)
    beat.apply_entry(Entry(row, app=app))
    row.refresh_from_db()
    assert (row.last_run_at, row.total_run_count) == (later, 1)


def test_an_entry_is_sent_again_soon_after_it_could_not_be(
    row: PeriodicTask, at_work: list[scheduler.Scheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def second_time(_: Any, name: str, *__: Any, **___: Any) -> None:
        sent.append(name)
        if len(sent) == 1:
            away()

    monkeypatch.setattr(scheduler.Scheduler, "producer", None)
    monkeypatch.setattr(scheduler.Scheduler, "send_task", second_time)
    at_work.append(scheduler.Scheduler(app=app))
    wait_for(lambda: len(sent) == 2, seconds=60, what="it is sent again")
    wait_for(lambda: PeriodicTask.objects.get(pk=row.pk).total_run_count == 1,
             seconds=60, what="it is counted once")  # fmt: skip


def test_entries_go_on_after_the_database_was_away_while_they_were_read(
    row: PeriodicTask, at_work: list[scheduler.Scheduler], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    read = scheduler.Scheduler.enabled_models_qs
    failures = iter(range(3))

    def failing(beat: scheduler.Scheduler) -> Any:
        if next(failures, None) is not None:
            raise OperationalError("the connection is lost")
        return read(beat)

    monkeypatch.setattr(scheduler.Scheduler, "enabled_models_qs", failing)
    monkeypatch.setattr(scheduler.Scheduler, "producer", None)
    monkeypatch.setattr(
        scheduler.Scheduler, "send_task", lambda _, name, *__, **___: sent.append(name)
    )
    at_work.append(scheduler.Scheduler(app=app))
    wait_for(lambda: sent == ["entries.sent"], seconds=60, what="it is sent")


def test_a_beat_whose_firing_fails_shows_no_life(
    beat: scheduler.Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> NoReturn:
        raise RuntimeError("not today")

    with monkeypatch.context() as patch:
        patch.setattr(beat._firing, "run", fail)
        beat.tick()
        assert not Heartbeat.objects.exists()
    beat.tick()
    assert Heartbeat.objects.exists()
