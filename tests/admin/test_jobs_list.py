"""What the list of jobs finds, and how it is walked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.ids import new_id
from accounts.models import Tenant
from accounts.roles import Role
from jobs.admin.finding import LOOK, PAGE
from jobs.models import Job
from jobs.priorities import Level
from jobs.states import Status
from tests.admin.conftest import SUPERUSER, Browser
from tests.admin.jobs_around import LIST, many_jobs, queues, report, text_of
from tests.api import kinds
from tests.jobs.kinds import ECHO
from tests.jobs.making import SITUATIONS, in_situation, queued

VIEWING = (Role.VIEWER, SUPERUSER)


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def _shown(client: Client, **query: str) -> list[str]:
    """The ids in the list, in its order."""
    return re.findall(r'data-job-id="([0-9a-f-]+)"', text_of(client.get(LIST, query)))


def _ids(*jobs: Job) -> list[str]:
    return [str(job.pk) for job in jobs]


@pytest.mark.parametrize("kind", VIEWING)
def test_the_newest_job_stands_first(kind: str, browser: Browser, acme: Tenant) -> None:
    jobs = [queued(acme) for _ in range(3)]
    assert _shown(browser(kind)) == _ids(*reversed(jobs))


@pytest.mark.parametrize("kind", VIEWING)
@pytest.mark.parametrize("status", Status.values)
def test_a_status_shows_its_jobs_only(
    status: str, kind: str, browser: Browser, acme: Tenant
) -> None:
    for situation in SITUATIONS:
        in_situation(acme, situation)
    wanted = Job.objects.filter(status=status).order_by("-seq")
    assert wanted
    assert _shown(browser(kind), status=status) == _ids(*wanted)


@pytest.mark.parametrize("kind", VIEWING)
def test_each_filter_shows_what_it_names_and_they_work_together(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    plain = queued(acme)
    high = queued(acme, priority="high")
    mail = report(acme, queue="mail", priority="high", labels={"course": "7"})
    owned = report(acme, queue="mail", owner="ada")
    dead, gone = in_situation(acme, "failed"), in_situation(acme, "failed")
    Job.objects.filter(pk=gone.pk).update(discarded_at=timezone.now())
    client = browser(kind)
    for query, wanted in (
        ({"type": kinds.report.name}, (owned, mail)),
        ({"queue": "mail"}, (owned, mail)),
        ({"queue": "empty"}, ()),
        ({"queue": "no-such"}, ()),
        ({"level": Level.HIGH, "type": kinds.report.name}, (mail,)),
        ({"level": Level.HIGH, "queue": "mail"}, (mail,)),
        ({"queue": "mail", "status": "queued", "owner": "ada"}, (owned,)),
        ({"type": ECHO, "status": "failed"}, (gone, dead)),
        ({"status": "dead"}, (dead,)),
        ({"tenant": "acme", "status": "dead"}, (dead,)),
        ({"tenant": "no-such"}, ()),
        ({"q": "course:7"}, (mail,)),
        ({"q": "course:7", "status": "failed"}, ()),
        ({"created": "hour", "queue": "mail"}, (owned, mail)),
    ):
        assert _shown(client, **query) == _ids(*wanted), query
    assert set(_ids(high, mail)) <= set(_shown(client, level="high"))
    assert str(plain.pk) not in _shown(client, level="low")


@pytest.mark.parametrize("kind", VIEWING)
def test_a_level_shows_jobs_on_their_way_to_a_worker_too(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    job = in_situation(acme, "dispatched")
    client = browser(kind)
    assert _shown(client, level=job.level.value) == _ids(job)
    assert _shown(client, level=job.level.value, type=ECHO) == _ids(job)


@pytest.mark.parametrize("kind", VIEWING)
def test_created_within_leaves_older_jobs_out(kind: str, browser: Browser, acme: Tenant) -> None:
    old, new = queued(acme), queued(acme)
    past = timezone.now() - timedelta(days=3)
    early = f"{int(past.timestamp() * 1000):012x}"
    Job.objects.filter(pk=old.pk).update(
        id=f"{early[:8]}-{early[8:]}-{str(new_id())[14:]}", created_at=past
    )
    client = browser(kind)
    assert _shown(client, created="day") == _ids(new)
    assert len(_shown(client, created="week")) == 2
    assert _shown(client, created="day", status="queued") == _ids(new)


@pytest.mark.parametrize("kind", VIEWING)
def test_the_search_box_understands_each_of_its_forms(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    queued(acme)
    job = report(acme, unique_key="nightly", labels={"order": "12", "type": "x"}, owner="ada")
    Job.objects.filter(pk=job.pk).update(type="gone.type")
    client = browser(kind)
    for text in (
        str(job.pk), str(job.pk).upper(), f"id:{job.pk}", f" {job.pk}", "order:12", "label:type:x",
        "nightly", "key:nightly", "type:gone.type", "owner:ada",
    ):  # fmt: skip
        assert _shown(client, q=text) == _ids(job), text
        assert "data-job-understood" in text_of(client.get(LIST, {"q": text})), text
    assert str(job.pk) in _shown(client, q=str(job.pk)[:8])


@pytest.mark.parametrize(
    "text",
    ["no-such", "a:b", "key:none", "id:zzz", "0" * 8, "0" * 40, "type:x", "%", "'"],
)
def test_a_search_that_finds_nothing_says_what_to_try(
    text: str, browser: Browser, acme: Tenant
) -> None:
    queued(acme)
    shown = text_of(browser(Role.VIEWER).get(LIST, {"q": text}))
    assert 'data-job-list="empty"' in shown
    assert "label:" in shown


def test_an_empty_list_says_how_jobs_come(browser: Browser) -> None:
    assert "/api/v1/jobs" in text_of(browser(Role.VIEWER).get(LIST))


@pytest.mark.parametrize("kind", VIEWING)
@pytest.mark.parametrize("query", [{}, {"status": "completed"}, {"type": ""}, {"queue": "mail"}])
def test_walking_to_the_end_shows_every_job_once(
    query: dict[str, str], kind: str, browser: Browser, acme: Tenant, other: Tenant
) -> None:
    many_jobs([acme, other], 300)
    rows = Job.objects.order_by("-seq")
    rows = rows if kind == SUPERUSER else rows.filter(tenant=acme)
    wanted = rows.filter(**{name: value for name, value in query.items() if value})
    assert _walked(browser(kind), query) == _ids(*wanted)


def _walked(client: Client, query: dict[str, str]) -> list[str]:
    found: list[str] = []
    url: str | None = "?" + "&".join(f"{name}={value}" for name, value in query.items())
    for _ in range(60):
        if url is None:
            return found
        shown = text_of(client.get(LIST + url))
        found += re.findall(r'data-job-id="([0-9a-f-]+)"', shown)
        way = re.search(r'href="(\?[^"]*)" rel="next"', shown)
        url = way[1].replace("&amp;", "&") if way else None
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("kind", VIEWING)
def test_a_second_condition_is_looked_for_a_bounded_way_and_then_on(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    many_jobs([acme], 3 * LOOK)
    rare = Job.objects.filter(status=Status.COMPLETED).order_by("seq").first()
    assert rare is not None
    Job.objects.filter(pk=rare.pk).update(priority=95)
    client, query = browser(kind), {"status": "completed", "level": "urgent"}
    first = text_of(client.get(LIST, query))
    assert "data-job-deeper" in first
    looked = re.search(r"None among the (\d+) jobs", first)
    assert looked is not None
    assert int(looked[1]) <= LOOK
    assert _walked(client, query) == _ids(rare)


def test_a_label_that_many_jobs_carry_shows_the_newest(browser: Browser, acme: Tenant) -> None:
    many_jobs([acme], 200)
    Job.objects.update(labels={"course": "7"})
    assert len(_shown(browser(Role.VIEWER), q="course:7")) == PAGE


@pytest.mark.parametrize("kind", VIEWING)
def test_a_made_up_place_in_the_list_does_no_harm(
    kind: str, browser: Browser, acme: Tenant
) -> None:
    queued(acme)
    client = browser(kind)
    for before in ("x", "-1", "9" * 30, "0", "²"):
        for more in ({}, {"status": "queued"}, {"q": "key:x"}, {"q": "0199a1c0"}):
            assert client.get(LIST, {**more, "before": before}).status_code == 200


@pytest.mark.parametrize("kind", VIEWING)
def test_a_page_takes_as_many_queries_as_a_row(kind: str, browser: Browser, acme: Tenant) -> None:
    client = browser(kind)
    numbers = []
    for _ in range(2):
        for _ in range(20):
            queued(acme)
        with CaptureQueriesContext(connection) as queries:
            client.get(LIST)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 8, [query["sql"] for query in queries]


def test_the_list_reads_no_payload_and_no_result(browser: Browser, acme: Tenant) -> None:
    queued(acme)
    client = browser(Role.VIEWER)
    with CaptureQueriesContext(connection) as queries:
        client.get(LIST)
    columns = " ".join(query["sql"].split(" FROM ")[0] for query in queries)
    assert '"jobs_job"."type"' in columns
    for column in ("payload", "result", "error"):
        assert f'"jobs_job"."{column}"' not in columns
