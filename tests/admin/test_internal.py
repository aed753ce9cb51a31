"""The platform's own jobs in the admin: opened by their id by a platform admin, listed nowhere."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from accounts.tenants import platform_of
from jobs.apps import make_queues
from jobs.models import Job, Pause, PauseKind, Queue, Worker
from jobs.policies.pausing import IN_FORCE
from jobs.states import Status
from tests.admin.conftest import SUPERUSER, Browser
from tests.jobs import making, ours
from tests.jobs.limited import worker
from tests.testapp.ours import OURS, QUEUE

LISTS = [
    "/admin/", "/admin/jobs/job/", "/admin/jobs/job/?status=failed", "/admin/jobs/job/?q=key:k",
    "/admin/jobs/job/?level=normal", "/admin/jobs/job/failures/", "/admin/accounts/tenant/",
    "/admin/accounts/apitoken/add/", "/admin/accounts/membership/add/", "/admin/jobs/pause/add/",
    "/admin/scheduling/schedule/add/",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _jobs(acme: Tenant) -> None:
    Queue.objects.get_or_create(name="default")
    make_queues()
    making.queued(acme)


@pytest.mark.parametrize("place", LISTS)
def test_no_list_and_no_choice_has_them(place: str, acme: Tenant, browser: Browser) -> None:
    jobs = ours.of_every_status(acme)
    page = browser(SUPERUSER).get(place)

    assert page.status_code == 200
    text = page.content.decode()
    assert OURS not in text
    assert platform_of(acme).slug not in text
    assert not any(str(job.pk) in text for job in jobs)
    assert f'value="{QUEUE}"' not in text


@pytest.mark.parametrize("query", ["type={type}", "queue={queue}", "tenant={tenant}", "q={id}"])
def test_no_filter_of_the_list_finds_one(query: str, acme: Tenant, browser: Browser) -> None:
    job = ours.one(acme)
    named = {"type": OURS, "queue": QUEUE, "tenant": platform_of(acme).slug, "id": job.pk}
    page = browser(SUPERUSER).get(f"/admin/jobs/job/?{query.format(**named)}").content.decode()
    assert f"/admin/jobs/job/{job.pk}/change/" not in page


@pytest.mark.parametrize(("kind", "code"), [(SUPERUSER, 200), ("admin", 404), ("viewer", 404)])
def test_only_a_platform_admin_opens_one_by_its_id(
    kind: str, code: int, acme: Tenant, browser: Browser
) -> None:
    client = browser(kind)
    for job in ours.of_every_status(acme):
        assert client.get(f"/admin/jobs/job/{job.pk}/change/").status_code == code


def test_a_platform_admin_sees_their_queue_and_pauses_it(acme: Tenant, browser: Browser) -> None:
    ours.of_every_status(acme)
    client, place = browser(SUPERUSER), f"/admin/jobs/queue/{QUEUE}/"

    assert f"{place}change/" in client.get("/admin/jobs/queue/").content.decode()
    page = client.get(f"{place}change/")
    assert page.status_code == 200
    assert page.context["queue"].waiting == "1"
    client.post(f"{place}pause/", {"reason": "moving house"})
    assert Pause.objects.filter(IN_FORCE, kind=PauseKind.QUEUE, target=QUEUE).exists()


def running(tenant: Tenant) -> Job:
    job = ours.one(tenant)
    making.start(job)
    worker(QUEUE, types=(OURS,))
    Worker.objects.update(incarnation=making.INCARNATION)
    return job


def test_a_platform_admin_sees_what_their_worker_runs(acme: Tenant, browser: Browser) -> None:
    job = running(acme)
    page = browser(SUPERUSER).get("/admin/jobs/worker/").content.decode()
    assert f"/admin/jobs/job/{job.pk}/change/" in page


@pytest.mark.parametrize("kind", ["admin", "viewer"])
def test_nobody_else_sees_it(kind: str, acme: Tenant, browser: Browser) -> None:
    client, job = browser(kind), running(acme)
    assert str(job.pk) not in client.get("/admin/jobs/worker/").content.decode()
    assert "worker 0" not in client.get("/admin/jobs/worker/").content.decode()
    assert QUEUE + "/change/" not in client.get("/admin/jobs/queue/").content.decode()
    assert client.get(f"/admin/jobs/queue/{QUEUE}/change/").status_code == 404


def test_a_failed_one_is_run_again_from_its_page(acme: Tenant, browser: Browser) -> None:
    failed = next(job for job in map(making.fresh, ours.of_every_status(acme)) if job.error)
    client = browser(SUPERUSER)

    client.post("/admin/jobs/job/act/retry/", {"job": [str(failed.pk)], "from": "page"})

    assert Job.objects.get(pk=failed.pk).status == Status.QUEUED
