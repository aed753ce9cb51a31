"""What watchers are told while Redis loses, stands still, or the web process stops."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from accounts.models import Tenant
from jobs import lifecycle, wire
from jobs.enqueue import JobOptions, enqueue
from jobs.live.entries import FIELD, UPDATED, Entry
from jobs.live.telling import stream_of
from jobs.models import Job
from tests.browser.site import Site
from tests.live.watching import Watch, heard, names

pytestmark = pytest.mark.timeout(400)  # the first one waits until all programs are up


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    """Of a tenant of its own: a loss is told later, and would spoil the next test."""
    tenant = Tenant.objects.create(slug=f"loss-{uuid.uuid4().hex[:8]}", plan_name="basic")
    with Watch(site, tenant=tenant) as watching:
        yield watching


def later(watch: Watch) -> Job:
    """One whose birth has been told."""
    options = JobOptions(delay_seconds=3600)
    job = enqueue(watch.tenant, "diagnostics.echo", {}, options).job
    wire.flush()
    return job


@contextmanager
def taking_nothing(site: Site) -> Iterator[None]:
    """Inside, Redis can be read and takes nothing."""
    with site.arena.redis() as client:
        client.execute_command("CLIENT", "PAUSE", "100000", "WRITE")
        try:
            yield
        finally:
            client.execute_command("CLIENT", "UNPAUSE")


def test_an_entry_that_was_lost_is_made_up_for(site: Site, watch: Watch) -> None:
    job = later(watch)
    stream = watch.stream(job_id=str(job.pk))
    assert stream.next()["event"] == "job.snapshot"
    Job.objects.filter(pk=job.pk).update(progress=7)  # nobody tells
    event = stream.next()
    assert event["event"] == "job.snapshot"
    assert event["data"]["progress"] == 7
    lifecycle.cancel(job.pk, by="test")
    assert names(stream.rest()) == ["job.cancelled", "stream.end"]


def test_a_stream_that_redis_lost_goes_on_with_a_gap(site: Site, watch: Watch) -> None:
    job = later(watch)
    stream = watch.stream(job_id=str(job.pk))
    mark = stream.next()["id"]
    with site.arena.redis() as client:
        client.delete(stream_of(job.tenant_id))
    again = watch.stream(job_id=str(job.pk), headers={"Last-Event-ID": mark})
    assert again.next()["gap"] is True
    lifecycle.cancel(job.pk, by="test")
    for one in (stream, again):
        assert one.rest()[-1]["event"] == "stream.end"


def test_while_redis_stands_still_watchers_learn_the_end_all_the_same(
    site: Site, watch: Watch
) -> None:
    job, other = later(watch), later(watch)
    stream = watch.stream(job_id=str(job.pk))
    assert stream.next()["event"] == "job.snapshot"
    with site.arena.valkey.frozen():
        assert watch.ask("GET", f"/jobs/{job.pk}").status_code == 200
        lifecycle.cancel(job.pk, by="test")
        events = stream.rest()
        assert events[-1]["event"] == "stream.end"
        assert events[-2]["data"]["status"] == "cancelled"
        assert watch.ask("POST", "/events/ticket", json={}).status_code == 503
        stream = watch.stream(job_id=str(other.pk))
        assert stream.next()["id"] == "0-0"
    # And afterwards entries are read again.
    while not (event := stream.next()).get("gap"):
        pass
    assert (event["event"], event["data"]["id"]) == ("job.snapshot", str(other.pk))
    assert event["id"] != "0-0"


def test_entries_that_could_not_be_sent_are_made_up_for_by_snapshots(
    site: Site, watch: Watch
) -> None:
    """Redis takes nothing for a while, but is read all the same; a batch is not watched by name."""
    body = {"type": "diagnostics.echo", "items": [{}], "delay_seconds": 3600}
    made = watch.ask("POST", "/batches", json=body).json()
    stream = watch.stream(batch_id=made["batch_id"])
    mark = stream.until("job.snapshot")[-1]["id"]
    with taking_nothing(site):
        lifecycle.cancel(made["results"][0]["job_id"], by="test")
        wire.flush()
    while not (told := stream.next()).get("gap"):
        assert told["event"] == "job.scheduled"  # its birth may come late
    assert (told["event"], told["data"]["status"]) == ("job.snapshot", "cancelled")
    again = watch.stream(batch_id=made["batch_id"], headers={"Last-Event-ID": mark})
    assert again.next()["gap"] is True


def test_many_streams_that_open_at_once_miss_nothing_and_see_no_gap(
    site: Site, watch: Watch
) -> None:
    job = later(watch)
    first = watch.stream(job_id=str(job.pk))
    mark = first.next()["id"]
    entry = Entry(event=UPDATED, at=timezone.now(), jobs=[job.pk]).packed()
    with site.arena.redis() as client:
        for _ in range(200):
            client.xadd(stream_of(job.tenant_id), {FIELD: entry})
    assert [first.next()["event"] for _ in range(200)] == [UPDATED] * 200

    def missed() -> list[str]:
        stream = watch.stream(job_id=str(job.pk), headers={"Last-Event-ID": mark})
        events = [stream.next() for _ in range(200)]
        stream.close()
        assert not any("gap" in one for one in events)
        return [one["id"] for one in events]

    with ThreadPoolExecutor(60) as pool:
        found = list(pool.map(lambda _: missed(), range(60)))
    assert all(ids == found[0] for ids in found)


def test_the_web_process_stops_at_once_with_streams_open(site: Site, watch: Watch) -> None:
    streams = [watch.stream(only="named") for _ in range(3)]
    socket = watch.socket("?only=named")
    site.restart_web()  # it waits for the end; uvicorn by itself would wait for the streams
    assert all(stream.rest() == [] for stream in streams)
    with pytest.raises(ConnectionClosed) as closing:
        heard(socket)
    assert closing.value.rcvd is not None
    assert closing.value.rcvd.code == 1012
