"""The form of a schedule: what it makes, what it refuses and where it says so, and its preview."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Membership, Tenant
from jobs.models import Job
from jobs.operations import Actor
from jobs.secret import masked
from scheduling import calendars, verbs
from scheduling.calendar_days import Days
from scheduling.definition import definition_of
from scheduling.models import Calendar, Firing, Schedule
from scheduling.policies import Decision
from tests.admin.conftest import SUPERUSER, Browser
from tests.admin.jobs_around import CANARY, queues, text_of
from tests.api import kinds
from tests.scheduling.making import ECHO, made, since
from tests.support.webhook_urls import HOOK, INSIDE

SCHEDULES = "/admin/scheduling/schedule/"
ADD, PREVIEW = f"{SCHEDULES}add/", f"{SCHEDULES}preview/"
PLAIN = {
    "name": "nightly", "description": "", "enabled": "on", "type": ECHO, "payload": "{}",
    "queue": "", "priority": "", "max_retries": "", "timeout_seconds": "", "labels": "",
    "owner": "", "cron_expression": "0 2 * * *", "timezone": "UTC", "starts_at": "",
    "ends_at": "", "dst_policy": "once", "overlap": "allow", "misfire": "run_once",
    "misfire_limit": "100", "jitter_seconds": "0",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


@pytest.fixture
def operator(browser: Browser) -> Client:
    return browser("operator")


def edit(schedule: Schedule) -> str:
    return f"{SCHEDULES}{schedule.pk}/edit/"


def posted(client: Client, address: str, **fields: Any) -> Any:
    return client.post(address, {**PLAIN, **fields})


def shown(client: Client, schedule: Schedule) -> dict[str, Any]:
    """The form's values as a browser would send them back."""
    form = client.get(edit(schedule)).context["form"]
    values = {bound.name: _sent(bound) for bound in form}
    return {
        name: value for name, value in values.items() if value is not None and value is not False
    }


def _sent(bound: Any) -> Any:
    value = bound.field.prepare_value(bound.value())
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}"
    return "on" if value is True else value


def fresh(schedule: Schedule) -> Schedule:
    return Schedule.objects.get(pk=schedule.pk)


def test_a_schedule_is_made_of_all_that_the_form_says(
    acme: Tenant, other: Tenant, operator: Client
) -> None:
    by = Actor(name="user:eve")
    holidays = calendars.create(acme, Days(name="holidays", yearly=["12-25"]), by)
    calendars.create(other, Days(name="foreign days"), by)
    assert "foreign days" not in text_of(operator.get(ADD))

    answer = posted(
        operator, ADD, description="Each morning.", payload='{"a": [1]}', queue="reports",
        priority="high", max_retries="2", timeout_seconds="90", labels="course: 7\n\nroom: a:b\n",
        owner="ada", cron_expression="30 7 * * 1-5", timezone="Europe/Amsterdam",
        starts_at="2030-01-01T00:00", ends_at="2031-01-01T00:00:30", dst_policy="skip",
        calendar_ids=[str(holidays.pk)], overlap="skip", misfire="run_all", misfire_limit="7",
        jitter_seconds="60", webhook_url=HOOK,
    )  # fmt: skip

    schedule = Schedule.objects.get()
    assert answer["Location"] == f"{SCHEDULES}{schedule.pk}/change/"
    assert (schedule.tenant, schedule.created_by) == (acme, "user:the-operator")
    given = definition_of(schedule)
    assert (given.payload, given.queue, given.priority) == ({"a": [1]}, "reports", 75)
    assert (given.max_retries, given.timeout_seconds, given.owner) == (2, 90, "ada")
    assert (given.labels, given.webhook_url) == ({"course": "7", "room": "a:b"}, HOOK)
    assert (given.starts_at, given.ends_at) == (
        datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, 0, 0, 30, tzinfo=UTC),
    )  # fmt: skip
    assert given.calendar_ids == (holidays.pk,)
    assert (given.overlap, given.misfire, given.misfire_limit) == ("skip", "run_all", 7)
    assert (given.dst_policy, given.jitter_seconds, given.enabled) == ("skip", 60, True)


def test_what_is_left_empty_is_the_types_and_the_plans(acme: Tenant, operator: Client) -> None:
    posted(operator, ADD, enabled="")
    given = definition_of(Schedule.objects.get())
    assert (given.queue, given.priority, given.max_retries, given.timeout_seconds) == (None,) * 4
    assert (given.payload, given.labels, given.calendar_ids) == ({}, {}, ())
    assert not given.enabled


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "", "required"),
        ("cron_expression", "61 * * * *", "minute"),
        ("cron_expression", "@every 5s", "60"),
        ("timezone", "Europe/Nowhere", "not a time zone"),
        ("type", "no.such", "valid choice"),
        ("queue", "no-such", "valid choice"),
        ("payload", "{", "line 1"),
        ("payload", "[1]", "JSON object"),
        ("payload", '{"a": NaN}', "JSON"),
        ("payload", '{"a": ' + "9" * 5000 + "}", "JSON"),
        ("payload", '{"a": ' + "[" * 100_000 + "}", "JSON"),
        ("payload", '{"a": ' + "[" * 40 + "]" * 40 + "}", "nested"),
        ("priority", "soon", "priority"),
        ("priority", "101", "priority"),
        ("max_retries", "-1", "greater"),
        ("labels", "no colon", "name: value"),
        ("ends_at", "2001-01-01T00:00", "over before"),
        ("ends_at", "yesterday", "valid date"),
        ("starts_at", "0001-01-01T00:00", "year"),
        ("misfire_limit", "5000", "1,000"),
        ("jitter_seconds", "999999", "86,400"),
        ("webhook_url", INSIDE, "not public"),
        ("calendar_ids", ["0199a1bf-2b01-7a70-bd02-0c5b1f3f8a10"], "valid choice"),
        ("overlap", "explode", "valid choice"),
    ],
)
def test_each_mistake_is_told_at_its_field_and_nothing_is_made(
    field: str, value: Any, told: str, acme: Tenant, operator: Client
) -> None:
    answer = posted(operator, ADD, **{field: value})
    assert answer.status_code == 200
    errors = answer.context["form"].errors
    assert list(errors) == [field]
    assert told in str(errors[field])
    assert "cel-wrong" in text_of(answer)
    assert not Schedule.objects.exists()


def test_what_the_type_refuses_is_told_with_its_place_in_the_payload(
    acme: Tenant, operator: Client
) -> None:
    answer = posted(operator, ADD, type=kinds.report.name, payload='{"report_id": "x"}')
    assert "report_id: " in str(answer.context["form"].errors["payload"])
    assert not Schedule.objects.exists()


def test_a_name_that_is_taken_is_told_above_the_fields(acme: Tenant, operator: Client) -> None:
    made(acme, name="nightly")
    answer = posted(operator, ADD)
    assert "There is one of this name already." in text_of(answer)
    assert Schedule.objects.count() == 1


def test_a_form_that_is_saved_as_it_was_changes_nothing(acme: Tenant, operator: Client) -> None:
    start = timezone.now() - timedelta(days=3)
    schedule = since(
        acme, start, "@every 90m", type=kinds.report.name, labels={"a": "b"},
        payload={"report_id": 7, "access_token": CANARY},
        ends_at=timezone.now() + timedelta(days=9, microseconds=7),
    )  # fmt: skip
    before = fresh(schedule)
    sent = shown(operator, schedule)
    assert CANARY not in str(sent)

    answer = operator.post(edit(schedule), sent)

    assert answer.status_code == 302, answer.context["form"].errors
    after = fresh(schedule)
    assert masked(after.payload) == masked(before.payload)  # sealed anew, hence another text
    names = ("ends_at", "effective_from", "next_moment", "labels", "priority")
    assert [getattr(after, name) for name in names] == [getattr(before, name) for name in names]
    assert not AuditEntry.objects.filter(object_type="schedule", action="schedule.change").exists()


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    acme: Tenant, operator: Client
) -> None:
    schedule = made(acme, "@daily", name="before")
    form_of_then = {**shown(operator, schedule), "description": "new words"}
    verbs.change(schedule, {"cron_expression": "@hourly"}, Actor(name="user:other"))
    for sent in (form_of_then, {**form_of_then, "seen": ""}):
        assert "Somebody changed it meanwhile" in text_of(operator.post(edit(schedule), sent))
    after = fresh(schedule)
    assert (after.cron_expression, after.description) == ("@hourly", "")


def test_only_what_was_changed_here_is_changed(acme: Tenant, operator: Client) -> None:
    schedule = made(acme, "@daily", name="before")
    sent = shown(operator, schedule)
    form_of_then = {**sent, "description": "new words"}
    assert operator.post(edit(schedule), form_of_then).status_code == 302
    assert fresh(schedule).description == "new words"
    entry = AuditEntry.objects.filter(action="schedule.change").latest("pk")
    assert (entry.before, entry.after) == ({"description": ""}, {"description": "new words"})


def test_a_text_is_kept_as_it_is_though_browsers_send_other_line_ends(
    acme: Tenant, operator: Client
) -> None:
    schedule = made(acme, name=" spaced ", description="two\nlines ")
    sent = {**shown(operator, schedule), "description": "two\r\nlines "}
    assert operator.post(edit(schedule), sent).status_code == 302
    after = fresh(schedule)
    assert (after.name, after.description) == (" spaced ", "two\nlines ")
    assert not AuditEntry.objects.filter(object_type="schedule", action="schedule.change").exists()


def test_another_kind_of_value_in_the_payload_is_a_change(acme: Tenant, operator: Client) -> None:
    schedule = made(acme, payload={"message": 1})
    sent = {**shown(operator, schedule), "payload": '{"message": true}'}
    assert operator.post(edit(schedule), sent).status_code == 302
    assert fresh(schedule).payload["message"] is True


def test_an_owner_that_cannot_be_stored_is_refused(acme: Tenant, operator: Client) -> None:
    answer = posted(operator, ADD, owner="a\0b")
    assert "Null characters" in str(answer.context["form"].errors["owner"])
    assert posted(operator, PREVIEW, owner="a\0b").status_code == 200
    assert posted(operator, PREVIEW, tenant="a\0b").status_code == 404


def test_a_secret_stays_where_the_payload_is_changed_around_it(
    acme: Tenant, operator: Client
) -> None:
    payload = {"report_id": 7, "access_token": CANARY}
    schedule = made(acme, type=kinds.report.name, payload=payload)
    sent = shown(operator, schedule)
    assert '"***"' in sent["payload"]
    operator.post(edit(schedule), {**sent, "payload": sent["payload"].replace("7", "8")})
    assert fresh(schedule).payload["report_id"] == 8
    verbs.run(schedule, Actor(name="user:eve"))
    assert CANARY not in str(Job.objects.get().payload)
    assert Job.objects.get().payload["access_token"] is not None


def test_who_is_member_of_several_tenants_chooses_one(
    acme: Tenant, other: Tenant, operator: Client
) -> None:
    third = Tenant.objects.create(slug="third")
    user = Membership.objects.get(tenant=acme).user
    Membership.objects.create(user=user, tenant=other, role="operator")
    Membership.objects.create(user=user, tenant=third, role="viewer")
    text = text_of(operator.get(f"{ADD}?tenant=other"))
    assert '<option value="other" selected>' in text
    assert "third" not in text
    posted(operator, ADD, tenant="other")
    assert Schedule.objects.get().tenant == other
    for slug in ("third", "nobody"):
        assert operator.get(f"{ADD}?tenant={slug}").status_code == 404
        assert posted(operator, ADD, tenant=slug, name=slug).status_code == 404


def test_another_tenants_schedule_is_not_changed(
    acme: Tenant, other: Tenant, operator: Client
) -> None:
    foreign = made(other, name="theirs")
    assert operator.post(edit(foreign), PLAIN).status_code == 404
    assert fresh(foreign).name == "theirs"


# --- the preview ---


def previewed(client: Client, **fields: Any) -> str:
    answer = posted(client, PREVIEW, **fields)
    assert answer.status_code == 200
    return text_of(answer)


def test_a_rule_is_shown_in_words_with_its_next_runs(acme: Tenant, operator: Client) -> None:
    text = previewed(operator, cron_expression="30 7 * * *", timezone="Asia/Tokyo")
    assert "Every day at 07:30" in text
    assert text.count("<time") == 5
    assert text.count(", 07:30 <span") == 5
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"cron_expression": "61 * * * *"}, "minute"),
        ({"cron_expression": "0 0 30 2 *"}, "never"),
        ({"timezone": "Europe/Nowhere"}, "not a time zone"),
        ({"timezone": "<b>"}, "&lt;b&gt;"),
    ],
)
def test_a_refused_rule_is_explained_in_place_of_its_runs(
    fields: dict[str, str], told: str, acme: Tenant, operator: Client
) -> None:
    text = previewed(operator, **fields)
    assert 'data-preview="refused"' in text
    assert told in text
    assert "<time" not in text
    assert "<b>" not in text


def test_an_empty_rule_is_no_mistake_yet(acme: Tenant, operator: Client) -> None:
    assert 'data-preview="empty"' in previewed(operator, cron_expression="")


def test_the_preview_leaves_out_the_days_of_calendars(acme: Tenant, operator: Client) -> None:
    days = Days(name="weekends", weekdays=[6, 7])
    weekends = calendars.create(acme, days, Actor(name="user:eve"))
    text = previewed(operator, cron_expression="@daily", calendar_ids=[str(weekends.pk)])
    assert "Mon " in text
    assert "Sat " not in text


def test_a_period_is_counted_on_from_where_the_schedule_counts_it(
    acme: Tenant, operator: Client
) -> None:
    start = timezone.now().replace(microsecond=0) - timedelta(hours=5)
    schedule = since(acme, start, "@every 3h")
    second = (start + timedelta(hours=6)).isoformat(timespec="seconds")
    assert second in text_of(operator.get(edit(schedule)))
    assert second in previewed(operator, cron_expression="@every 3h", schedule=str(schedule.pk))
    assert second not in previewed(operator, cron_expression="@every 3h")


def test_the_form_of_a_schedule_shows_its_next_runs_without_any_script(
    acme: Tenant, operator: Client
) -> None:
    schedule = made(acme, "@daily", ends_at=timezone.now() + timedelta(days=900))
    answer = operator.get(edit(schedule))
    assert answer.context["in_words"] == "Every day at 00:00"
    assert len(answer.context["coming"]) == 5


# --- filling in ---


def test_a_range_is_looked_at_first_and_then_filled_in(acme: Tenant, operator: Client) -> None:
    schedule = made(acme, "@hourly")
    address = f"{SCHEDULES}{schedule.pk}/backfill/"
    fields = {"start": "2026-03-10T00:30", "end": "2026-03-10T04:00"}

    looked = operator.post(address, fields)
    assert 'data-plan="3"' in text_of(looked)
    assert not Job.objects.exists()

    confirmed = {"confirmed": looked.context["form"].looked_at}
    assert confirmed["confirmed"] in text_of(looked)
    another = operator.post(address, {**fields, **confirmed, "end": "2026-03-10T05:00"})
    assert 'data-plan="4"' in text_of(another)
    assert not Job.objects.exists()

    assert operator.post(address, {**fields, **confirmed}).status_code == 302
    assert Job.objects.filter(schedule_id=schedule.pk).count() == 3
    assert Firing.objects.filter(decision=Decision.FIRED, by="user:the-operator").count() == 3
    assert "3 runs filled in." in text_of(operator.get(f"{SCHEDULES}{schedule.pk}/change/"))

    again = operator.post(address, fields)
    assert 'data-plan="0"' in text_of(again)
    assert "3 ran already." in text_of(again)


@pytest.mark.parametrize(
    ("start", "end", "field", "told"),
    [
        ("", "2026-03-10T04:00", "start", "Which moment?"),
        ("2026-03-10T04:00", "", "end", "Which moment?"),
        ("2026-03-10T04:00", "2026-03-10T04:00", "start", "not before"),
        ("2026-03-10T04:00", "2999-01-01T00:00", "end", "not past"),
        ("2001-03-10T04:00", "2026-03-10T04:00", "start", "1,000"),
    ],
)
def test_a_range_that_cannot_be_filled_in_is_refused_at_its_field(
    start: str, end: str, field: str, told: str, acme: Tenant, operator: Client
) -> None:
    schedule = made(acme, "@hourly")
    answer = operator.post(
        f"{SCHEDULES}{schedule.pk}/backfill/", {"start": start, "end": end, "confirmed": "1"}
    )
    assert answer.status_code == 200
    assert told in str(answer.context["form"].errors[field])
    assert not Job.objects.exists()


# --- calendars ---

CALENDARS = "/admin/scheduling/calendar/"


def test_a_calendar_is_made_changed_and_deleted(acme: Tenant, operator: Client) -> None:
    fields = {"name": "holidays", "weekdays": ["6", "7"], "yearly": "12-25\n12-26\n"}
    assert operator.post(f"{CALENDARS}add/", {**fields, "dates": "2030-04-01"}).status_code == 302
    (calendar,) = acme_calendars(acme)
    assert (calendar.weekdays, calendar.yearly) == ([6, 7], ["12-25", "12-26"])
    assert "Saturday, Sunday, 12-25, 12-26 and 1 more" in text_of(operator.get(CALENDARS))

    page = f"{CALENDARS}{calendar.pk}/change/"
    assert "2030-04-01" in text_of(operator.get(page))
    changed = {**fields, "name": "days off", "dates": ""}
    assert "Somebody changed it meanwhile" in text_of(operator.post(page, changed))
    seen = operator.get(page).context["form"]["seen"].value()
    assert f'value="{seen}"' in text_of(operator.get(page))
    assert operator.post(page, {**changed, "seen": seen}).status_code == 302
    (calendar,) = acme_calendars(acme)
    assert (calendar.name, calendar.dates) == ("days off", [])

    remove = f"{CALENDARS}{calendar.pk}/remove/"
    assert "data-confirm-remove" in text_of(operator.post(remove))
    schedule = made(acme, calendar_ids=(calendar.pk,), name="names it")
    operator.post(remove, {"confirmed": "1"})
    assert "1 schedule names it" in text_of(operator.get(page))
    assert "names it</bdi>" in text_of(operator.get(page))
    schedule.delete()
    operator.post(remove, {"confirmed": "1"})
    assert acme_calendars(acme) == []
    actions = AuditEntry.objects.filter(object_type="calendar").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == [
        "calendar.create", "calendar.change", "calendar.delete",
    ]  # fmt: skip


def acme_calendars(acme: Tenant) -> list[Calendar]:
    return list(Calendar.objects.filter(tenant=acme))


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", "", "required"),
        ("yearly", "13-45", "12-25"),
        ("dates", "soon", "2026-12-25"),
        ("dates", "0001-01-01", "year"),
        ("weekdays", ["8"], "valid choice"),
        ("weekdays", ["1", "2", "3", "4", "5", "6", "7"], "no day"),
    ],
)
def test_a_wrong_day_is_told_at_its_field(
    field: str, value: Any, told: str, acme: Tenant, operator: Client
) -> None:
    answer = operator.post(f"{CALENDARS}add/", {"name": "days", field: value})
    assert answer.status_code == 200
    assert told in str(answer.context["form"].errors[field])
    assert acme_calendars(acme) == []


def test_calendars_are_seen_by_members_and_written_by_operators(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    by = Actor(name="user:eve")
    own, foreign = (calendars.create(one, Days(name=one.slug), by) for one in (acme, other))
    viewer, operator = browser("viewer"), browser("operator")
    page = f"{CALENDARS}{own.pk}/change/"
    assert viewer.get(page).status_code == 200
    assert "data-save" not in text_of(viewer.get(page))
    assert viewer.post(page, {"name": "mine"}).status_code == 403
    assert viewer.get(f"{CALENDARS}add/").status_code == 403
    assert viewer.post(f"{CALENDARS}{own.pk}/remove/", {"confirmed": "1"}).status_code == 403
    for client in (viewer, operator):
        assert foreign.name not in text_of(client.get(CALENDARS))
        assert client.get(f"{CALENDARS}{foreign.pk}/change/").status_code == 404
        assert client.post(f"{CALENDARS}{foreign.pk}/remove/").status_code == 404
    assert operator.get(f"{CALENDARS}{UUID(int=7)}/change/").status_code == 404
    assert operator.get(f"{CALENDARS}{own.pk}/delete/").status_code == 403
    assert foreign.name in text_of(browser(SUPERUSER).get(CALENDARS))


# --- somebody else, meanwhile ---


def test_a_run_that_made_no_job_is_not_told_as_one(acme: Tenant, operator: Client) -> None:
    schedule = made(acme, type=kinds.crawl.name, payload={"subreddit": "a"})
    for told in ("1 schedule run now.", "left alone: a job with its unique key has not ended"):
        answer = operator.post(f"{SCHEDULES}act/run/", {"schedule": [schedule.pk]}, follow=True)
        assert told in text_of(answer)
    assert Job.objects.count() == 1
