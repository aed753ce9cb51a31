"""Schedules beside their job type: made, changed and checked after the code, switched by people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import OperationalError, connection, transaction

from accounts.models import Tenant
from jobs import recurring, registry
from jobs.secret import SEALED
from scheduling import verbs
from scheduling.declared import _LOCK, synchronise, synchronise_at_start
from scheduling.definition import Definition
from scheduling.models import Schedule
from tests.scheduling.making import BY, ECHO

BEATS = 5
Declare = Callable[..., None]


@pytest.fixture
def declare() -> Iterator[Declare]:
    """`JobType.schedule` of the echo, undone at the end."""
    known = {(one.tenant, one.name) for one in recurring.all()}

    def declare(expression: str = "@daily", **fields: Any) -> None:
        registry.get(ECHO).schedule(expression, **{"name": "nightly", **fields})

    yield declare
    for one in recurring.all():
        if (one.tenant, one.name) not in known:
            recurring.forget(one.tenant, one.name)


@pytest.fixture
def nightly(declare: Declare, db: None) -> Schedule:
    declare("0 2 * * *", timezone="Europe/Amsterdam", payload={"a": 1})
    synchronise()
    return Schedule.objects.get(name="nightly")


def test_a_declared_schedule_is_made_once_and_changed_after_the_code(
    nightly: Schedule, declare: Declare
) -> None:
    assert (nightly.declared, nightly.enabled, nightly.created_by) == (True, True, "code")
    assert (nightly.timezone, nightly.payload) == ("Europe/Amsterdam", {"a": 1})
    again = synchronise()
    assert (again.made, again.changed, again.unchanged) == ([], [], ["default: nightly"])

    declare("0 3 * * *", payload={"a": 2})
    assert synchronise().changed == ["default: nightly"]
    nightly.refresh_from_db()
    assert (nightly.cron_expression, nightly.payload) == ("0 3 * * *", {"a": 2})
    assert nightly.timezone == "UTC"
    assert synchronise().unchanged == ["default: nightly"]


def test_what_operators_switched_off_stays_off(nightly: Schedule, declare: Declare) -> None:
    verbs.toggle(nightly, BY, enabled=False)
    declare("0 3 * * *", enabled=True)
    synchronise()
    nightly.refresh_from_db()
    assert (nightly.enabled, nightly.cron_expression) == (False, "0 3 * * *")


def test_one_that_vanished_goes_on_until_it_is_pruned(nightly: Schedule) -> None:
    recurring.forget("default", "nightly")
    assert synchronise().vanished == ["default: nightly"]
    assert Schedule.objects.filter(pk=nightly.pk, enabled=True).exists()
    assert synchronise(prune=True).removed == ["default: nightly"]
    assert not Schedule.objects.filter(pk=nightly.pk).exists()


def test_a_dry_run_tells_and_writes_nothing(nightly: Schedule, declare: Declare) -> None:
    recurring.forget("default", "nightly")
    declare(name="another")
    told = synchronise(prune=True, dry_run=True)
    assert (told.made, told.removed) == (["default: another"], ["default: nightly"])
    assert list(Schedule.objects.values_list("name", flat=True)) == ["nightly"]


@pytest.mark.django_db
def test_what_cannot_be_made_is_refused_alone_with_its_reason(declare: Declare) -> None:
    declare()
    declare("61 * * * *", name="wrong")
    declare(tenant="nobody")
    declare(name="closed", calendars=("holidays",))
    verbs.create(*by_hand("mine"), BY)
    declare(name="mine")
    done = synchronise()
    assert done.made == ["default: nightly"]
    assert sorted(done.refused) == [
        "default: closed", "default: mine", "default: wrong", "nobody: nightly",
    ]  # fmt: skip
    assert "calendar 'holidays'" in done.refused["default: closed"]
    assert "by hand" in done.refused["default: mine"]


def test_a_stored_secret_that_nobody_can_read_is_written_anew_and_holds_up_no_other(
    declare: Declare, db: None
) -> None:
    declare(name="locked", payload={"key": "open sesame"})
    declare("0 2 * * *", name="other")
    synchronise()
    Schedule.objects.filter(name="locked").update(payload={"key": {SEALED: "not one of ours"}})
    declare("0 3 * * *", name="other")
    done = synchronise()
    assert (done.changed, done.refused) == (["default: locked", "default: other"], {})
    assert Schedule.objects.get(name="locked").payload == {"key": "open sesame"}


def test_one_that_fails_by_itself_is_refused_with_its_text_and_holds_up_no_other(
    declare: Declare, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(name="broken")
    declare(name="other")
    create = verbs.create

    def fail(tenant: Tenant, given: Definition, *args: Any, **kwargs: Any) -> Schedule:
        if given.name == "broken":
            connection.cursor().execute("SELECT 1 / 0")
        return create(tenant, given, *args, **kwargs)

    monkeypatch.setattr(verbs, "create", fail)
    done = synchronise()
    assert done.made == ["default: other"]
    assert "division by zero" in done.refused["default: broken"]


@pytest.mark.django_db(transaction=True)
def test_another_that_holds_the_lock_delays_a_start_and_does_not_stop_it(declare: Declare) -> None:
    declare()
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        connection.cursor().execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        assert not other.submit(_started_apart).result(timeout=60)
    assert synchronise_at_start()
    assert Schedule.objects.filter(name="nightly").exists()


@pytest.mark.django_db(transaction=True)
def test_many_beats_that_start_at_once_make_it_once(declare: Declare) -> None:
    declare()
    with ThreadPoolExecutor(BEATS) as beats:
        done = [each.result() for each in [beats.submit(_apart) for _ in range(BEATS)]]
    assert sum(len(one) for one in done) == 1
    assert Schedule.objects.filter(name="nightly").count() == 1


def _apart() -> list[str]:
    """Again while others hold it up, as beat does."""
    try:
        while True:
            with suppress(OperationalError):
                return synchronise().made
    finally:
        connection.close()


def _started_apart() -> bool:
    try:
        return synchronise_at_start()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"expression": "61 * * * *"}, "cron_expression"),
        ({"timezone": "Europe/Amsterdan"}, "timezone: 'Europe/Amsterdan'"),
        ({"overlap": "never"}, "overlap: one of allow, skip, replace"),
        ({"misfire_limit": 0}, "misfire_limit"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_the_check_names_each_mistake_and_whose_it_is(
    declare: Declare, fields: dict[str, Any], told: str
) -> None:
    declare(**fields)
    (error,) = run_checks(tags=["scheduling"])
    assert told in error.msg
    assert "nightly" in error.msg
    assert str(error.obj).startswith(f"job type {ECHO} (")


def test_the_check_looks_at_the_payload_and_the_type(declare: Declare) -> None:
    registry.get("diagnostics.sleep").schedule("@daily", name="s", payload={"seconds": "no"})
    recurring.declare(
        recurring.DeclaredSchedule(type="no.such", cron_expression="@daily", name="t")
    )
    told = " ".join(error.msg for error in run_checks(tags=["scheduling"]))
    recurring.forget("default", "s")
    recurring.forget("default", "t")
    assert "payload.seconds" in told
    assert "no.such" in told


def test_what_is_right_passes_the_check(declare: Declare) -> None:
    declare("0 2 * * MON-FRI", timezone="Europe/Amsterdam", payload={"a": 1}, misfire="run_all")
    assert run_checks(tags=["scheduling"]) == []


def by_hand(name: str) -> tuple[Any, Any]:
    given = Definition(name=name, type=ECHO, cron_expression="@daily")
    return Tenant.objects.get(slug="default"), given
