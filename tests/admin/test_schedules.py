"""Schedules in the admin: the list, the page of one, and the verbs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs.models import Job
from scheduling import verbs
from scheduling.models import Firing, Schedule
from scheduling.policies import Decision
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import CANARY, queues, text_of
from tests.api import kinds
from tests.jobs import making
from tests.scheduling.making import BY, made

SCHEDULES = "/admin/scheduling/schedule/"


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def page_of(schedule: Schedule) -> str:
    return f"{SCHEDULES}{schedule.pk}/change/"


def act(client: Client, verb: str, *schedules: Schedule, **fields: str) -> int:
    chosen = [str(one.pk) for one in schedules]
    return client.post(f"{SCHEDULES}act/{verb}/", {"schedule": chosen, **fields}).status_code


def became(schedule: Schedule, decision: str, job: Job | None = None, **fields: Any) -> Firing:
    now = timezone.now()
    given = {"moment": now, "decided_at": now, "job_id": job and job.pk, **fields}
    return Firing.objects.create(schedule=schedule, decision=decision, **given)


def enabled(schedule: Schedule) -> bool:
    return Schedule.objects.get(pk=schedule.pk).enabled


def ids_in(text: str) -> list[str]:
    return [part.partition('"')[0] for part in text.split('data-schedule-id="')[1:]]


def test_the_list_says_what_runs_when_and_how_it_went(acme: Tenant, browser: Browser) -> None:
    schedule = made(acme, "30 7 * * *", name="the report", timezone="Europe/Amsterdam")
    done = making.queued(acme)
    making.complete(done)
    became(schedule, Decision.FIRED, done)
    became(schedule, Decision.MISSED, reason="misfire: skip")

    text = text_of(browser(Role.VIEWER).get(SCHEDULES))

    assert "the report" in text
    assert "Every day at 07:30" in text
    assert "Europe/Amsterdam" in text
    assert ", 07:30 <span" in text  # by the clock there
    assert 'class="cel-ran-completed"' in text
    assert 'class="cel-ran-missed"' in text
    assert "UTC: missed (misfire: skip)</span>" in text
    assert 'data-outcome="missed"' in text


def test_a_member_sees_the_own_tenants_schedules_alone(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    mine, foreign = made(acme), made(other, name="somebody else's")
    viewer = browser(Role.VIEWER)
    assert ids_in(text_of(viewer.get(SCHEDULES))) == [str(mine.pk)]
    assert viewer.get(page_of(foreign)).status_code == 404
    assert "somebody else" not in text_of(viewer.get(f"{SCHEDULES}day/"))
    assert str(foreign.pk) in text_of(browser(SUPERUSER).get(SCHEDULES))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=NIGHT", {"nightly"}),
        ("q=kind.report", {"weekly"}),
        ("q=none", set()),
        ("state=off", {"off"}),
        ("state=on", {"nightly", "weekly"}),
        ("type=diagnostics.echo", {"nightly", "off"}),
        ("last=missed", {"nightly"}),
        ("last=fired", {"weekly"}),
        ("last=nonsense&state=nonsense", {"nightly", "weekly", "off"}),
        ("before=nonsense", {"nightly", "weekly", "off"}),
    ],
)
def test_the_list_is_searched_and_filtered(
    query: str, found: set[str], acme: Tenant, browser: Browser
) -> None:
    nightly = made(acme, name="nightly")
    weekly = made(
        acme, name="weekly", type=kinds.report.name,
        payload={"report_id": 1, "access_token": CANARY},
    )  # fmt: skip
    made(acme, name="off", enabled=False)
    Schedule.objects.filter(pk=weekly.pk).update(type="kind.report")
    for decision in (Decision.FIRED, Decision.MISSED):
        became(nightly, decision, moment=None)
    became(weekly, Decision.FIRED)
    text = text_of(browser(Role.VIEWER).get(f"{SCHEDULES}?{query}"))
    names = dict(Schedule.objects.values_list("pk", "name"))
    assert {names[one.pk] for one in Schedule.objects.filter(pk__in=ids_in(text))} == found


def test_the_list_goes_on_and_says_how_far_it_looked(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.admin.newest.PAGE", 2)
    found = [made(acme, name=f"number {number}") for number in range(5)]
    viewer = browser(Role.VIEWER)

    first = viewer.get(SCHEDULES)
    assert ids_in(text_of(first)) == [str(found[4].pk), str(found[3].pk)]
    assert first.context["older_url"] == f"?before={found[3].pk}"
    older = text_of(viewer.get(f"{SCHEDULES}?before={found[3].pk}"))
    assert ids_in(older) == [str(found[2].pk), str(found[1].pk)]

    monkeypatch.setattr("jobs.admin.newest.LOOK", 3)
    looked = viewer.get(f"{SCHEDULES}?q=number 0")
    assert ids_in(text_of(looked)) == []
    assert looked.context["further_url"] == f"?q=number+0&before={found[2].pk}"
    further = viewer.get(f"{SCHEDULES}{looked.context['further_url']}")
    assert ids_in(text_of(further)) == [str(found[0].pk)]
    assert further.context["further_url"] == ""


def test_each_page_costs_the_same_for_one_schedule_and_for_many(
    acme: Tenant, browser: Browser
) -> None:
    viewer, one = browser(Role.VIEWER), made(acme)
    became(one, Decision.FIRED, making.queued(acme))
    pages = (SCHEDULES, f"{SCHEDULES}?q=schedule", page_of(one), f"{SCHEDULES}day/")

    def cost() -> list[int]:
        counted = []
        for page in pages:
            with CaptureQueriesContext(connection) as queries:
                assert viewer.get(page).status_code == 200
            counted.append(len(queries))
        return counted

    before = cost()
    for schedule in [one, *(made(acme) for _ in range(6))]:
        for _ in range(3):
            became(schedule, Decision.FIRED, making.queued(acme), moment=None)
    assert cost() == before


def test_the_page_tells_what_became_of_each_run_with_links_to_the_jobs(
    acme: Tenant, browser: Browser
) -> None:
    schedule = made(
        acme, type=kinds.report.name, payload={"report_id": 7, "access_token": CANARY},
        misfire="run_all", labels={"course": "7"},
    )  # fmt: skip
    failed = making.queued(acme)
    became(schedule, Decision.FIRED, failed)
    became(schedule, Decision.REFUSED, reason="the quota is used up")
    became(schedule, Decision.FIRED, late_seconds=7200, by="user:eve", job_id=uuid4())
    verbs.run(schedule, BY)

    text = text_of(browser(Role.VIEWER).get(page_of(schedule)))

    assert f'href="/admin/jobs/job/{failed.pk}/change/"' in text
    assert "the quota is used up" in text
    assert "2 h late" in text
    assert "user:eve" in text
    assert "by hand" in text
    assert 'data-outcome="removed"' in text
    assert text.count("data-run>") == 4
    assert "run them all, up to a limit of 100" in text
    assert CANARY not in text
    assert "data-schedule-actions" not in text


def test_the_history_goes_on(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduling.admin.page.PAGE", 2)
    schedule, viewer = made(acme), browser(Role.VIEWER)
    for number in range(3):
        became(schedule, Decision.SKIPPED, reason=f"reason {number}", moment=None)
    first = viewer.get(page_of(schedule))
    assert "reason 2" in text_of(first)
    assert "<bdi>reason 0" not in text_of(first)
    assert "<bdi>reason 0" in text_of(viewer.get(page_of(schedule) + first.context["older_url"]))
    assert viewer.get(f"{page_of(schedule)}?before=nonsense").status_code == 200


def test_the_page_tells_the_next_runs_without_the_days_of_calendars(
    acme: Tenant, browser: Browser
) -> None:
    schedule = made(acme, "@daily", name="daily")
    viewer = browser(Role.VIEWER)
    assert len(viewer.get(page_of(schedule)).context["coming"]) == 5
    made(acme, "@daily", name="off", enabled=False)
    verbs.toggle(schedule, BY)
    text = text_of(viewer.get(page_of(schedule)))
    assert "It is switched off." in text


def test_an_operator_switches_runs_and_deletes(acme: Tenant, browser: Browser) -> None:
    one, two = made(acme), made(acme)
    operator = browser(Role.OPERATOR)

    assert act(operator, "off", one, two) == 302
    assert not enabled(one)
    assert not enabled(two)
    assert "2 schedules switched off." in text_of(operator.get(SCHEDULES))
    assert act(operator, "on", one) == 302
    assert enabled(one)
    assert act(operator, "run", one) == 302
    assert Job.objects.filter(schedule_id=one.pk).count() == 1
    assert act(operator, "delete", two) == 200  # the question
    assert Schedule.objects.filter(pk=two.pk).exists()
    assert act(operator, "delete", two, confirmed="1") == 302
    assert not Schedule.objects.filter(pk=two.pk).exists()
    entries = AuditEntry.objects.filter(object_type="schedule", actor="user:the-operator")
    assert sorted(entries.values_list("action", flat=True)) == [
        "schedule.change", "schedule.change", "schedule.change", "schedule.delete", "schedule.run",
    ]  # fmt: skip


def test_what_refuses_is_told_and_stops_no_other(acme: Tenant, browser: Browser) -> None:
    good, bad = made(acme), made(acme)
    Schedule.objects.filter(pk=bad.pk).update(type="no.such")
    operator = browser(Role.OPERATOR)
    act(operator, "run", bad, good)
    text = text_of(operator.get(SCHEDULES))
    assert "1 schedule run now." in text
    assert "1 schedule left alone" in text
    assert Job.objects.filter(schedule_id=good.pk).count() == 1


def test_one_that_is_declared_in_code_is_only_switched_run_and_filled_in(
    acme: Tenant, browser: Browser
) -> None:
    schedule = made(acme)
    Schedule.objects.update(declared=True)
    operator = browser(Role.OPERATOR)
    text = text_of(operator.get(page_of(schedule)))
    assert "declared in code" in text
    assert "data-edit" not in text
    assert operator.get(f"{SCHEDULES}{schedule.pk}/edit/").status_code == 403
    assert act(operator, "delete", schedule, confirmed="1") == 302
    assert act(operator, "off", schedule) == 302
    assert not enabled(schedule)
    assert operator.get(f"{SCHEDULES}{schedule.pk}/backfill/").status_code == 200


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_person_does_what_its_role_allows(
    kind: str, acme: Tenant, browser: Browser
) -> None:
    schedule, client = made(acme), browser(kind)
    looks = {
        client.get(page).status_code for page in (SCHEDULES, page_of(schedule), f"{SCHEDULES}day/")
    }
    writes = {
        client.get(f"{SCHEDULES}add/").status_code,
        client.get(f"{SCHEDULES}{schedule.pk}/edit/").status_code,
        client.get(f"{SCHEDULES}{schedule.pk}/backfill/").status_code,
        client.post(f"{SCHEDULES}preview/", {"cron_expression": "@daily"}).status_code,
    }
    acts = act(client, "off", schedule)
    may = kind in (Role.OPERATOR, Role.ADMIN, SUPERUSER)
    if kind in (ANONYMOUS, PLAIN):
        assert (looks, writes, acts) == ({302}, {302}, 302)
    elif kind == STAFF:
        assert looks | writes | {acts} <= {403, 404}
    else:
        assert looks == {200}
        assert writes == ({200} if may else {403})
        assert acts == (302 if may else 403)
    assert enabled(schedule) is not may


def test_what_is_not_there_or_not_ones_own_is_404_and_left_alone(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    own, foreign, operator = made(acme), made(other), browser(Role.OPERATOR)
    for name in (foreign.pk, uuid4()):
        for way in ("change", "edit", "backfill"):
            assert operator.get(f"{SCHEDULES}{name}/{way}/").status_code == 404
    assert operator.get(f"{SCHEDULES}7/change/").status_code == 404
    assert act(operator, "off", foreign) == 302
    assert act(operator, "explode", own) == 404
    assert operator.get(f"{SCHEDULES}act/off/").status_code == 404
    assert operator.get(f"{SCHEDULES}{own.pk}/delete/").status_code == 403
    assert operator.post(SCHEDULES).status_code == 403
    assert operator.post(page_of(own)).status_code == 403
    assert operator.get(f"{SCHEDULES}{own.pk}/history/").status_code == 302
    assert enabled(own)
    assert enabled(foreign)


def test_a_name_that_is_markup_is_shown_as_text(acme: Tenant, browser: Browser) -> None:
    schedule = made(acme, name="<script>alert(1)</script>", description="<b>bold</b>")
    became(schedule, Decision.SKIPPED, reason="<i>odd</i>")
    operator = browser(Role.OPERATOR)
    for page in (SCHEDULES, page_of(schedule), f"{SCHEDULES}day/", "/admin/",
                 f"{SCHEDULES}{schedule.pk}/edit/"):  # fmt: skip
        text = text_of(operator.get(page))
        assert "<script>alert(1)" not in text
        assert "<b>bold" not in text
        assert "<i>odd" not in text


def test_no_page_has_a_script_or_a_style_of_its_own(acme: Tenant, browser: Browser) -> None:
    schedule, operator = made(acme), browser(Role.OPERATOR)
    for page in (SCHEDULES, page_of(schedule), f"{SCHEDULES}day/", f"{SCHEDULES}add/"):
        main = text_of(operator.get(page)).partition('id="content"')[2]
        assert "<style" not in main
        assert " onclick=" not in main
        assert " style=" not in main.partition("</main>")[0]


# --- the coming day ---


def test_the_coming_day_shows_each_run_within_it(acme: Tenant, browser: Browser) -> None:
    hourly, weekly = made(acme, "@hourly"), made(acme, "@every 7d")
    answer = browser(Role.VIEWER).get(f"{SCHEDULES}day/")
    lanes = {lane.schedule.pk: lane for lane in answer.context["lanes"]}
    assert len(lanes[hourly.pk].marks) == 24
    assert weekly.pk not in lanes
    assert not answer.context["is_cut"]
    marks = [mark.x for mark in lanes[hourly.pk].marks]
    assert marks == sorted(marks)
    assert marks[0] > 0
    assert marks[-1] <= answer.context["width"]


def test_of_a_schedule_that_runs_all_the_time_the_first_are_drawn_and_that_it_goes_on(
    acme: Tenant, browser: Browser
) -> None:
    made(acme, "* * * * *")
    nightly = made(acme, "@daily")
    answer = browser(Role.VIEWER).get(f"{SCHEDULES}day/")
    first, second = answer.context["lanes"]
    assert first.goes_on is not None
    assert (second.schedule.pk, second.goes_on) == (nightly.pk, None)
    assert "data-cut" in text_of(answer)


# --- the first page ---


def test_the_dashboard_shows_the_next_runs_and_what_was_missed(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    schedule = made(acme, name="ours", expression="@daily")
    for one in (schedule, made(other, name="theirs")):
        became(one, Decision.MISSED)
    text = text_of(browser(Role.VIEWER).get("/admin/"))
    assert "1 run of “ours” not in time" in text
    assert page_of(schedule) in text
    assert "theirs" not in text


def test_the_dashboard_says_that_nobody_fires(acme: Tenant, browser: Browser) -> None:
    made(acme, name="ours")
    Schedule.objects.update(next_moment=timezone.now() - timedelta(minutes=5))
    text = text_of(browser(Role.VIEWER).get("/admin/"))
    assert "Schedules are overdue" in text
    assert 'data-alert="schedule_overdue"' in text
