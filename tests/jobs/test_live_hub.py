"""The reader of a web process beside watchers that come and go: what it hands over, and when it
takes Redis for being away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import UUID

import pytest
import redis
from django.db import connection

from accounts.access import Access
from accounts.models import Tenant
from accounts.principal import Kind, Principal
from jobs import wire
from jobs.enqueue import JobOptions, enqueue
from jobs.live import telling
from jobs.live.events import Event
from jobs.live.grant import Grant, Wanted
from jobs.live.hub import Hub
from jobs.live.listener import Listener
from jobs.live.loader import Duty, Loader
from jobs.live.log import Log, Placed
from jobs.live.marks import BEGINNING, Mark
from jobs.models import Job, Queue

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 60.0
T = TypeVar("T")


class SlowLog(Log):
    """One whose answers about ends are held back, those for the reader or all others."""

    def __init__(self, *, for_reader: bool) -> None:
        super().__init__()
        self._slow = for_reader
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def end(self, tenant_id: int, *, for_reader: bool = False) -> Mark:
        if for_reader is self._slow:
            self.asked.set()
            await self.go.wait()
        return await super().end(tenant_id, for_reader=for_reader)


class FailingLog(Log):
    """One that fails where these errors are, in turn; and counts what was read. Who asks for an end
    is kept waiting for its error until the reader has heard of Redis meanwhile."""

    def __init__(
        self, *, ends: Sequence[Exception] = (), readings: Sequence[Exception] = ()
    ) -> None:
        super().__init__()
        self._ends, self._readings = list(ends), list(readings)
        self.read = 0

    async def end(self, tenant_id: int, *, for_reader: bool = False) -> Mark:
        if self._ends and not for_reader:
            before = self.read
            while self.read == before:
                await asyncio.sleep(0.01)
            raise self._ends.pop(0)
        return await super().end(tenant_id, for_reader=for_reader)

    async def news(
        self, ends: dict[int, Mark], milliseconds: int
    ) -> Sequence[tuple[int, Mark, Sequence[Placed]]]:
        if self._readings:
            raise self._readings.pop(0)
        found = await super().news(ends, milliseconds)
        self.read += 1
        return found


@pytest.fixture
def job() -> Job:
    tenant = Tenant.objects.create(slug="acme", plan_name="basic")
    Queue.objects.get_or_create(name="default")
    made = enqueue(tenant, "diagnostics.echo", {}, JobOptions(delay_seconds=3600)).job
    wire.flush()
    return made


def grant_of(job: Job, *wanted: UUID) -> Grant:
    principal = Principal(kind=Kind.TOKEN, name="watcher", tenant=job.tenant)
    access = Access(principal=principal, tenant=job.tenant)
    return Grant(access=access, wanted=Wanted(jobs=frozenset(wanted), named_only=True))


def told_progress(job: Job) -> None:
    telling.progressed(job.tenant_id, job.pk, job.type, job.created_at)
    wire.flush()


def play(scene: Coroutine[Any, Any, None]) -> None:
    async def patiently() -> None:
        async with asyncio.timeout(PATIENCE):
            await scene

    asyncio.run(patiently())


class TidyLoader(Loader):
    """One whose threads leave no database connection behind: the test's database goes away."""

    async def run(self, duty: Duty, step: Callable[..., T], *arguments: object) -> T:
        def tidily() -> T:
            try:
                return step(*arguments)
            finally:
                connection.close()

        return await super().run(duty, tidily)


def hub_with(log: Log) -> Hub:
    hub = Hub()
    hub.log, hub.loader = log, TidyLoader()
    return hub


@asynccontextmanager
async def at_work(log: Log) -> AsyncIterator[Hub]:
    hub = hub_with(log)
    hub.start()
    try:
        yield hub
    finally:
        await hub.stop()


async def following(hub: Hub, tenant_id: int) -> None:
    while hub.end_of(tenant_id) is None:
        await asyncio.sleep(0.01)


async def next_of(listener: Listener) -> Event:
    while (event := await listener.next(1.0)) is None:
        assert not listener.behind
    return event


def test_who_leaves_before_it_is_followed_leaves_nothing_behind(job: Job) -> None:
    async def scene() -> None:
        log = SlowLog(for_reader=True)
        async with at_work(log) as hub:
            hub.remove(await _asked_for(hub, log))
            log.go.set()
            listener = hub.add(grant_of(job, job.pk))
            assert hub.end_of(job.tenant_id) is None
            await following(hub, job.tenant_id)
            assert not hub.is_away
            assert not listener.behind

    async def _asked_for(hub: Hub, log: SlowLog) -> Listener:
        listener = hub.add(grant_of(job, job.pk))
        await log.asked.wait()
        return listener

    play(scene())


def test_who_leaves_while_its_stream_begins_leaves_nothing_behind(job: Job) -> None:
    async def scene() -> None:
        log = SlowLog(for_reader=False)
        hub = hub_with(log)  # its reader does not run
        grant = grant_of(job, job.pk)
        listener = hub.add(grant)
        opening = asyncio.ensure_future(hub.opening(grant))
        await log.asked.wait()
        hub.remove(listener)
        log.go.set()
        await opening
        assert hub.end_of(job.tenant_id) is None
        await hub.stop()

    play(scene())


def test_an_entry_between_a_watchers_beginning_and_the_readers_is_told(job: Job) -> None:
    async def scene() -> None:
        log = SlowLog(for_reader=True)
        async with at_work(log) as hub:
            grant = grant_of(job, job.pk)
            listener = hub.add(grant)
            await log.asked.wait()
            _, listener.floor = await hub.opening(grant)
            await asyncio.to_thread(told_progress, job)
            log.go.set()
            assert (await next_of(listener)).name == "job.progress"

    play(scene())


def test_what_happens_to_a_job_while_its_subscription_begins_is_told_after_it(job: Job) -> None:
    async def scene() -> None:
        async with at_work(Log()) as hub:
            listener = hub.add(grant_of(job))
            await following(hub, job.tenant_id)
            listener.hold(job.pk)
            before = hub.end_of(job.tenant_id)
            await asyncio.to_thread(told_progress, job)
            while hub.end_of(job.tenant_id) == before:
                await asyncio.sleep(0.01)
            listener.release(job.pk, before)
            assert (await next_of(listener)).name == "job.progress"

    play(scene())


def test_one_answer_that_comes_too_late_is_not_taken_for_redis_being_away(job: Job) -> None:
    async def scene() -> None:
        log = FailingLog(readings=[redis.TimeoutError()])
        async with at_work(log) as hub:
            listener = hub.add(grant_of(job, job.pk))
            while not log.read:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(told_progress, job)
            assert (await next_of(listener)).name == "job.progress"
            assert not hub.is_away

    play(scene())


@pytest.mark.parametrize(
    "failures",
    [[redis.TimeoutError(), redis.TimeoutError()], [redis.ConnectionError()]],
    ids=["late twice", "cut off"],
)
def test_after_redis_was_away_everybody_is_shown_how_things_stand(
    job: Job, failures: list[Exception]
) -> None:
    async def scene() -> None:
        async with at_work(FailingLog(readings=failures)) as hub:
            listener = hub.add(grant_of(job, job.pk))
            while not listener.behind:
                await asyncio.sleep(0.01)
            assert not hub.is_away

    play(scene())


def test_a_watcher_that_got_no_connection_asks_again_while_the_reader_hears_of_redis(
    job: Job,
) -> None:
    async def scene() -> None:
        log = FailingLog(ends=[redis.ConnectionError("No connection available.")] * 3)
        async with at_work(log) as hub:
            grant = grant_of(job, job.pk)
            listener = hub.add(grant)
            _, mark = await hub.opening(grant)
            assert mark != BEGINNING
            assert not hub.is_away
            assert not listener.behind

    play(scene())
