"""Whoever fires is cut short at any point: what was due is untouched, and comes once all the
same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts.models import Tenant
from jobs.models import Job
from scheduling.firing import Firing, fire_due
from scheduling.models import Firing as Row
from scheduling.models import Schedule
from tests.scheduling.making import at, fired, since, told
from tests.support.gate import closed_gate
from tests.support.waiting import wait_for

# In the order in which one transaction writes to them.
TABLES = [
    "jobs_job", "scheduling_firing", "scheduling_schedule", "django_celery_beat_periodictask",
]  # fmt: skip
KILLS = 10  # at each point
NOW = at(10)


@pytest.fixture
def tenant(db: None) -> Tenant:
    return Tenant.objects.get(slug="default")


@pytest.mark.django_db
@pytest.mark.parametrize("table", TABLES)
def test_g8_an_error_at_any_point_leaves_nothing_behind(tenant: Tenant, table: str) -> None:
    schedules = [since(tenant, at(9, 30)) for _ in range(3)]
    with failing(table), pytest.raises(Exception, match="sabotage"), transaction.atomic():
        fire_due(now=NOW)
    check_untouched(schedules)
    assert fire_due(now=NOW).jobs == 3
    check_fired_once(schedules)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", TABLES)
def test_g8_a_process_killed_at_any_point_leaves_nothing_behind(table: str) -> None:
    tenant, _ = Tenant.objects.get_or_create(slug="default")
    for _ in range(KILLS):
        schedules = [since(tenant, at(9, 30)) for _ in range(3)]
        with closed_gate(table) as gate:
            process = in_a_process_of_its_own()
            gate.wait_until_reached()
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        check_untouched(schedules)
        fire_due(now=NOW)
        check_fired_once(schedules)


@pytest.mark.django_db(transaction=True)
def test_one_that_cannot_be_fired_keeps_none_of_the_others_from_it() -> None:
    """Outside of a test's transaction, as beat does it."""
    tenant, _ = Tenant.objects.get_or_create(slug="default")
    bad, good = since(tenant, at(9, 30)), since(tenant, at(9, 30))
    Schedule.objects.filter(pk=bad.pk).update(timezone="No/Where")
    firing = Firing()
    assert firing.run(NOW) == 1
    assert (fired(good), told(bad)) == ([NOW], [])
    assert firing.run(at(11)) == 1
    assert fired(good) == [NOW, at(11)]


@pytest.mark.django_db(transaction=True)
def test_what_somebody_holds_is_fired_soon_after_it_is_let_go() -> None:
    tenant, _ = Tenant.objects.get_or_create(slug="default")
    schedule = since(tenant, at(9, 30))
    firing, other = Firing(), connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE scheduling_firing IN ACCESS EXCLUSIVE MODE")
        assert firing.run(NOW) == 0
        cursor.execute("ROLLBACK")
    other.close()
    wait_for(lambda: firing.run(NOW), seconds=30, what="it is fired")
    check_fired_once([schedule])


def in_a_process_of_its_own() -> Any:
    """One that fires. It has connections of its own."""
    connections.close_all()
    process = get_context("fork").Process(target=_fire, daemon=True)
    process.start()
    return process


def _fire() -> None:
    Firing().run(NOW)


@contextmanager
def failing(table: str) -> Iterator[None]:
    """Inside, each statement that writes to it fails."""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'sabotage'; END $$;
            CREATE TRIGGER sabotage AFTER INSERT OR UPDATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION sabotage();
        """)
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER sabotage ON {table}; DROP FUNCTION sabotage;")


def check_untouched(schedules: list[Schedule]) -> None:
    ids = [one.pk for one in schedules]
    assert not Job.objects.filter(schedule_id__in=ids).exists()
    assert not Row.objects.filter(schedule__in=ids).exists()
    left = Schedule.objects.filter(pk__in=ids).values_list("next_moment", "last_run_at")
    assert set(left) == {(NOW, None)}


def check_fired_once(schedules: list[Schedule]) -> None:
    for one in schedules:
        assert fired(one) == [NOW]
        assert Job.objects.filter(schedule_id=one.pk, scheduled_for=NOW).count() == 1
