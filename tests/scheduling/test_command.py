"""`manage.py schedules`: what it shows, does and refuses."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from jobs import recurring
from jobs.models import Job
from scheduling.firing import fire_due
from scheduling.models import Firing, Schedule
from tests.api import kinds
from tests.jobs.test_commands import Said
from tests.scheduling.making import ECHO, at, made, since

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="default")


@pytest.fixture
def nightly(tenant: Tenant) -> Schedule:
    return made(tenant, "0 2 * * *", name="nightly", timezone="Europe/Amsterdam")


def test_schedules_are_listed_by_name_for_people_and_for_programs(
    tenant: Tenant, nightly: Schedule
) -> None:
    made(tenant, "@hourly", name="a\x1b[2Jnother", enabled=False)
    said = Said("schedules", "list")
    header, another, last = said.out.splitlines()
    assert header.split()[:2] == ["NAME", "STATE"]
    assert " off " in another
    assert "\x1b" not in said.out
    assert last.split()[:2] == ["nightly", "on"]
    assert "Every day at 02:00 (Europe/Amsterdam)" in last
    document = Said("schedules", "list", "--json", "--limit=1").document
    assert (len(document["items"]), document["more"]) == (1, True)
    assert Said("schedules", "list", "--type=no.such").err == "There is no schedule.\n"


def test_one_is_shown_with_its_latest_runs(tenant: Tenant) -> None:
    schedule = since(tenant, at(9, 30), name="hourly", labels={"k": "v"}, overlap="skip")
    fire_due(now=at(12, 30))
    job = Job.objects.get(schedule_id=schedule.pk)
    said = Said("schedules", "show", "hourly")
    for part in ("hourly", str(schedule.pk), "k=v", "2026-03-10 12:00:00", "fired", str(job.pk)):
        assert part in said.out
    assert "misfire: only the last is run" in said.out
    document = Said("schedules", "show", str(schedule.pk), "--json").document
    decisions = [one["decision"] for one in document["firings"]]
    assert sorted(decisions) == ["fired", "missed", "missed"]


def test_an_expression_is_previewed_in_words_and_on_the_clocks_of_its_zone() -> None:
    said = Said("schedules", "preview", "0 2 * * *", "--timezone=Asia/Tokyo", "--count=3")
    words, *times = said.out.splitlines()
    assert (words, len(times)) == ("Every day at 02:00", 3)
    assert all("02:00:00+09:00" in one and "17:00:00 UTC" in one for one in times)
    document = Said("schedules", "preview", "@daily", "--json").document
    assert len(document["next"]) == 5
    assert not Schedule.objects.exists()


def test_schedules_are_switched_and_the_audit_trail_names_who_did(nightly: Schedule) -> None:
    assert Said("schedules", "disable", "nightly").out == "nightly: off\n"
    nightly.refresh_from_db()
    assert (nightly.enabled, nightly.next_moment) == (False, None)
    assert Said("schedules", "enable", "nightly").out.startswith("nightly: on, next run ")
    actors = AuditEntry.objects.filter(action="schedule.change").values_list("actor", flat=True)
    assert [actor.partition(":")[0] for actor in actors] == ["command", "command"]


def test_one_that_is_unknown_stops_no_other(nightly: Schedule) -> None:
    said = Said("schedules", "disable", "nobody", "nightly")
    nightly.refresh_from_db()
    assert (said.status, nightly.enabled) == (2, False)
    assert "nobody: There is no schedule 'nobody'" in said.err


def test_it_is_run_by_hand_and_told_the_job(nightly: Schedule) -> None:
    said = Said("schedules", "run", "nightly")
    job = Job.objects.get(schedule_id=nightly.pk)
    assert said.out == f"{job.pk}\n"
    assert job.scheduled_for is None
    assert Firing.objects.get(schedule=nightly).by.startswith("command:")


def test_the_past_is_filled_in_after_a_look(tenant: Tenant) -> None:
    since(tenant, at(9, 30), name="hourly", misfire="skip")
    fire_due(now=at(12, 30))
    asked = ["schedules", "backfill", "hourly", "--from=2026-03-10T10:00:00Z",
             "--to=2026-03-10T12:00:00Z"]  # fmt: skip
    assert Said(*asked, "--dry-run").out == (
        "2026-03-10 10:00:00  to run\n2026-03-10 11:00:00  to run\n"
    )
    assert Job.objects.count() == 0
    items = Said(*asked, "--json").document["items"]
    assert [one["outcome"] for one in items] == ["fired", "fired"]
    assert Said(*asked).out.count("  ran ") == 2
    assert Job.objects.count() == 2


def test_the_coming_runs_are_told_by_time(tenant: Tenant) -> None:
    """24 hours, without their end, in a zone that keeps its clocks: they hold one moment of each
    hour and one of each day, at whatever hour this runs."""
    made(tenant, "@hourly", name="hourly")
    made(tenant, "0 2 * * *", name="nightly", timezone="Asia/Tokyo")
    lines = Said("schedules", "timeline", "--hours=24").out.splitlines()[1:]
    moments = [line[:19] for line in lines]
    assert moments == sorted(moments)
    assert ["hourly" in one for one in lines].count(True) == 24
    assert ["nightly" in one for one in lines].count(True) == 1
    assert len(lines) == 25
    asked_at = timezone.now().isoformat()
    document = Said("schedules", "timeline", "--json").document
    assert document["items"][0]["moment"] > asked_at
    Schedule.objects.all().delete()
    assert Said("schedules", "timeline").err == "Nothing runs in the next 24 hours.\n"


def test_what_is_declared_is_brought_up_to_date() -> None:
    declared = recurring.DeclaredSchedule(type=ECHO, cron_expression="@daily", name="declared")
    wrong = recurring.DeclaredSchedule(type=ECHO, cron_expression="61 * * * *", name="wrong")
    recurring.declare(declared)
    try:
        assert "new       default: declared" in Said("schedules", "sync", "--dry-run").out
        assert not Schedule.objects.exists()
        assert Said("schedules", "sync").status == 0
        recurring.declare(wrong)
        refused = Said("schedules", "sync")
        assert (refused.status, "refused   default: wrong: " in refused.out) == (2, True)
    finally:
        recurring.forget("default", "declared")
        recurring.forget("default", "wrong")
    assert "vanished  default: declared" in Said("schedules", "sync").out
    assert "default: declared" in Said("schedules", "sync", "--prune", "--json").document["removed"]
    assert not Schedule.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "nobody"], "no schedule 'nobody'"),
        (["run", "nobody"], "no schedule 'nobody'"),
        (["list", "--tenant=nobody"], "no tenant 'nobody'"),
        (["preview", "61 * * * *"], "minute"),
        (["preview", "@daily", "--timezone=Nowhere"], "--timezone: 'Nowhere'"),
        (["preview", "@daily", "--count=1000"], "--count"),
        (["backfill", "nightly", "--from=2026-03-11T00:00:00Z", "--to=2026-03-10T00:00:00Z"],
         "--from: is not before"),
        (["backfill", "nightly", "--from=2026-03-11T00:00:00Z", "--to=2999-03-10T00:00:00Z"],
         "--to: is not past"),
        (["backfill", "nightly", "--from=yesterday", "--to=2026-03-10T00:00:00Z"], "--from"),
        (["timeline", "--hours=0"], "--hours"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)  # fmt: skip
def test_what_cannot_be_done_is_refused_in_words(
    nightly: Schedule, arguments: list[str], told: str
) -> None:
    said = Said("schedules", *arguments)
    assert told in said.refusal
    assert not Job.objects.exists()


def test_a_name_that_tenants_share_needs_the_tenant(nightly: Schedule) -> None:
    acme = Tenant.objects.create(slug="acme", name="Acme")
    made(acme, name="nightly")
    assert "--tenant" in Said("schedules", "show", "nightly").refusal
    assert Said("schedules", "show", "nightly", "--tenant=acme").status == 0


def test_a_run_that_made_no_job_is_told(tenant: Tenant) -> None:
    made(tenant, name="crawling", type=kinds.crawl.name, payload={"subreddit": "a"})
    first, again = Said("schedules", "run", "crawling"), Said("schedules", "run", "crawling")
    assert again.out == first.out
    assert "a job with its unique key has not ended" in again.err
