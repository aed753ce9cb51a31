"""Schedules that are refused: each broken rule is pointed to, and nothing is written."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from accounts.models import Tenant
from scheduling.cron import CronError, parse
from scheduling.models import Schedule
from tests.api.calling import Answer, Caller
from tests.api.conftest import MakeCaller
from tests.api.scheduled import NEW, READ, WRITE, calendar, made
from tests.attacks.test_t39_cron_bombs import HOSTILE
from tests.scheduling.cron.test_parse import REFUSED

NO_JSON = {"a half surrogate", "NUL"}  # refused before anybody looks at a field
MOST_SECONDS = 0.5  # of processor time for a whole call; what the first are to cost is minutes


@pytest.fixture
def caller(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [READ, WRITE])


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "/name"),
    ({"name": "x" * 256}, "/name"),
    ({"name": None}, "/name"),
    ({"name": 7}, "/name"),
    ({"type": "no.such"}, "/type"),
    ({"type": ""}, "/type"),
    ({"type": None}, "/type"),
    ({"description": "x" * 2_001}, "/description"),
    ({"queue": "no-such"}, "/queue"),
    ({"priority": 101}, "/priority"),
    ({"priority": "urgent"}, "/priority"),  # above what the plan allows
    ({"priority": True}, "/priority"),
    ({"payload": {}}, "/payload/report_id"),
    ({"payload": {"report_id": 1, "colour": 1}}, "/payload/colour"),
    ({"payload": {"report_id": 1, "access_token": {"$secret": "x"}}}, "/payload/access_token"),
    ({"payload": []}, "/payload"),
    ({"payload": None}, "/payload"),
    ({"max_retries": 101}, "/max_retries"),
    ({"max_retries": -1}, "/max_retries"),
    ({"timeout_seconds": 86_401}, "/timeout_seconds"),
    ({"labels": {"": "x"}}, "/labels/"),
    ({"labels": {"a": "x" * 256}}, "/labels/a"),
    ({"labels": {str(n): "x" for n in range(33)}}, "/labels"),
    ({"labels": {"a": 1}}, "/labels/a"),
    ({"webhook_url": "http://127.0.0.1/"}, "/webhook_url"),
    ({"webhook_url": 7}, "/webhook_url"),
    ({"owner": "x" * 256}, "/owner"),
    ({"cron_expression": None}, "/cron_expression"),
    ({"cron_expression": 5}, "/cron_expression"),
    ({"cron_expression": ["0 2 * * *"]}, "/cron_expression"),
    ({"timezone": "Mars/Olympus"}, "/timezone"),
    ({"timezone": "europe/amsterdam"}, "/timezone"),
    ({"timezone": ""}, "/timezone"),
    ({"timezone": "../../../etc/passwd"}, "/timezone"),
    ({"timezone": "/usr/share/zoneinfo/UTC"}, "/timezone"),
    ({"timezone": "localtime"}, "/timezone"),
    ({"timezone": "UTC" * 100_000}, "/timezone"),
    ({"timezone": None}, "/timezone"),
    ({"dst_policy": "twice"}, "/dst_policy"),
    ({"enabled": 1}, "/enabled"),
    ({"enabled": None}, "/enabled"),
    ({"overlap": "queue"}, "/overlap"),
    ({"misfire": "run_some"}, "/misfire"),
    ({"misfire_limit": 0}, "/misfire_limit"),
    ({"misfire_limit": 1_001}, "/misfire_limit"),
    ({"jitter_seconds": -1}, "/jitter_seconds"),
    ({"jitter_seconds": 86_401}, "/jitter_seconds"),
    ({"jitter_seconds": 2**53 - 1}, "/jitter_seconds"),
    ({"jitter_seconds": 1.5}, "/jitter_seconds"),
    ({"calendar_ids": ["7"]}, "/calendar_ids/0"),
    ({"calendar_ids": ["0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11"]}, "/calendar_ids/0"),
    ({"calendar_ids": ["0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11"] * 21}, "/calendar_ids"),
    ({"calendar_ids": "all"}, "/calendar_ids"),
    ({"starts_at": "0001-01-01T00:00:00Z"}, "/starts_at"),
    ({"starts_at": "9999-12-31T23:59:59Z"}, "/starts_at"),
    ({"starts_at": "2201-01-01T00:00:00Z"}, "/starts_at"),
    ({"starts_at": "2030-01-01T00:00:00"}, "/starts_at"),
    ({"starts_at": "tomorrow"}, "/starts_at"),
    ({"starts_at": 0}, "/starts_at"),
    ({"ends_at": "0001-01-01T00:00:00Z"}, "/ends_at"),
    ({"ends_at": "9999-12-31T23:59:59Z"}, "/ends_at"),
    ({"ends_at": "2020-01-01T00:00:00Z"}, "/ends_at"),
    ({"starts_at": "2030-01-02T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "/ends_at"),
    ({"starts_at": "2030-01-01T00:00:00Z", "ends_at": "2030-01-01T00:00:00Z"}, "/ends_at"),
    ({"next_run_at": None}, "/next_run_at"),
    ({"tenant": "other"}, "/tenant"),
    ({"colour": "red"}, "/colour"),
]


@pytest.mark.parametrize(("wrong", "pointer"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_a_wrong_field_of_a_new_schedule_is_pointed_to(
    wrong: dict[str, Any], pointer: str, caller: Caller
) -> None:
    answer = caller.post("/schedules", {**NEW, **wrong})
    assert answer.pointers == [pointer]
    assert not Schedule.objects.exists()


ANEW = [
    (wrong, pointer)
    for wrong, pointer in WRONG
    if pointer != "/ends_at" or "starts_at" in wrong or "2020" not in wrong["ends_at"]
]


@pytest.mark.parametrize(("wrong", "pointer"), ANEW, ids=[str(n) for n in range(len(ANEW))])
def test_a_wrong_field_of_a_change_is_pointed_to_and_changes_nothing(
    wrong: dict[str, Any], pointer: str, caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme)
    before = Schedule.objects.filter(pk=schedule.pk).values().get()
    for answer in (
        caller.patch(f"/schedules/{schedule.pk}", wrong),
        caller.put(f"/schedules/{schedule.pk}", {**NEW, **wrong}),
    ):
        assert answer.pointers == [pointer]
    assert Schedule.objects.filter(pk=schedule.pk).values().get() == before


def test_an_end_that_is_over_leaves_a_schedule_without_a_next_run(
    caller: Caller, acme: Tenant
) -> None:
    answer = caller.patch(f"/schedules/{made(acme).pk}", {"ends_at": "2020-01-01T00:00:00Z"})
    assert (answer.status, answer.body["next_run_at"]) == (200, None)


def test_every_broken_rule_is_told_at_once(caller: Caller) -> None:
    wrong = {
        "name": "", "type": "no.such", "cron_expression": "0 25 * * *", "timezone": "Mars",
        "misfire_limit": 0, "jitter_seconds": -1, "description": "x" * 3_000,
    }  # fmt: skip
    answer = caller.post("/schedules", {**NEW, **wrong})
    assert set(answer.pointers) == {f"/{name}" for name in wrong}


@pytest.mark.parametrize("missing", ["name", "type", "cron_expression"])
def test_what_no_schedule_can_be_without_is_named(missing: str, caller: Caller) -> None:
    body = {name: value for name, value in NEW.items() if name != missing}
    assert caller.post("/schedules", body).pointers == [f"/{missing}"]


@pytest.mark.parametrize("name", ["name", "description", "owner", "timezone", "cron_expression"])
def test_nul_and_half_surrogates_are_no_json(name: str, caller: Caller) -> None:
    for text in ("a\x00b", "\ud800"):
        assert caller.post("/schedules", {**NEW, name: text}).status == 400


def test_a_payload_that_is_too_large_is_413(caller: Caller) -> None:
    large = {"name": "a", "type": "diagnostics.echo", "cron_expression": "@daily"}
    answer = caller.post("/schedules", {**large, "payload": {"text": "x" * 300_000}})
    assert answer.status == 413


def test_a_file_is_nothing_for_a_schedule(caller: Caller) -> None:
    body = {
        "name": "a", "type": "apitests.reading", "cron_expression": "@daily",
        "payload": {"document": {"file_id": "0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11"}},
    }  # fmt: skip
    assert caller.post("/schedules", body).status == 422
    assert not Schedule.objects.exists()


# --- T39: expressions that are to cost time, memory or a crash --------------------------------


def asked(caller: Caller, schedule: Schedule, text: str) -> list[Answer]:
    """Everywhere an expression is taken."""
    new, path = {**NEW, "cron_expression": text}, f"/schedules/{schedule.pk}"
    return [
        caller.post("/schedules", {**new, "name": "another"}),
        caller.put(path, {**new, "name": schedule.name}),
        caller.patch(path, {"cron_expression": text}),
        caller.post("/schedules/preview", {"cron_expression": text, "count": 100}),
    ]


def expected(name: str, text: str) -> set[int]:
    if len(text) > 1_000_000:
        return {413}
    if name in NO_JSON:
        return {400}
    try:
        parse(text)
    except CronError:
        return {422}
    return {200, 201}


@pytest.mark.parametrize("name", HOSTILE)
def test_t39_a_hostile_expression_is_answered_at_once_wherever_it_is_sent(
    name: str, caller: Caller, acme: Tenant
) -> None:
    schedule, text = made(acme), HOSTILE[name]
    asked(caller, schedule, text)
    Schedule.objects.exclude(pk=schedule.pk).delete()
    begun = process_time()
    answers = asked(caller, schedule, text)
    taken = process_time() - begun
    assert {answer.status for answer in answers} <= expected(name, text)
    for answer in answers:
        if answer.status == 422:
            assert answer.pointers == ["/cron_expression"]
            assert len(answer.body["errors"][0]["detail"]) < 300
    assert taken < MOST_SECONDS * len(answers)


def test_t39_every_expression_that_is_refused_is_refused_in_the_same_words_everywhere(
    caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme)
    for text, words in REFUSED.items():
        if any(character == "\x00" or "\ud800" <= character <= "\udfff" for character in text):
            continue  # no JSON
        for answer in asked(caller, schedule, text):
            (error,) = answer.body["errors"]
            assert (answer.status, error) == (
                422, {"pointer": "/cron_expression", "detail": words},
            )  # fmt: skip
    assert Schedule.objects.get().cron_expression == "0 2 * * *"


HOSTILE_DAYS: dict[str, dict[str, Any]] = {
    "each moment on a day that is left out": {"weekdays": [1]},
    "almost every day": {"weekdays": [1, 2, 3, 4, 5, 6], "yearly": ["12-31"]},
    "a year of days": {
        "yearly": [f"{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    },
}


@pytest.mark.parametrize("days", HOSTILE_DAYS)
@pytest.mark.parametrize(
    "text", ["* * * * 1", "0 0 * * 1", "* * * * *", "@every 61s", "0 0 29 2 *"]
)
def test_t39_calendars_make_no_rule_slow(
    text: str, days: str, caller: Caller, acme: Tenant
) -> None:
    schedule = made(acme, calendar_ids=(calendar(acme, **HOSTILE_DAYS[days]).pk,))
    ids = [str(one.pk) for one in schedule.calendars.all()]
    begun = process_time()
    preview = {"cron_expression": text, "count": 100, "calendar_ids": ids}
    answers = [
        caller.patch(f"/schedules/{schedule.pk}", {"cron_expression": text}),
        caller.post("/schedules/preview", preview),
    ]
    taken = process_time() - begun
    assert [answer.status for answer in answers] == [200, 200]
    assert taken < MOST_SECONDS * len(answers)
