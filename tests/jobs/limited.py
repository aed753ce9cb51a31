"""Jobs under limits: a type with keys, many jobs of one key, and a dispatcher to send them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now

from accounts.models import Tenant
from config.celery import app
from jobs import JobContext, job_type, lifecycle
from jobs.dispatcher.loop import Dispatcher
from jobs.message import FencedJob
from jobs.models import Job, Worker
from jobs.policies.buckets import Place
from jobs.states import Status
from tests.jobs import making
from tests.jobs.kinds import ECHO, QUEUE

KEYED = "tests.keyed"


def declare_keyed(**limits: Any) -> None:
    """The type KEYED, with these limits; for a test that is `declaring`."""

    @job_type(KEYED, queue=QUEUE, limit_key="{key}", **limits)
    def keyed(context: JobContext, *, key: str) -> None: ...


_MANY = """
    INSERT INTO jobs_job (
        id, tenant_id, owner, type, queue, labels, unique_key, limit_key, created_by, status,
        priority, base_priority, payload, max_retries, timeout_seconds, fence, run, attempt,
        retry_count, crash_count, progress, progress_message, worker, cancelled_by)
    SELECT gen_random_uuid(), %(tenant)s, '', %(type)s, %(queue)s, '{}', '', %(key)s, '', 'queued',
           %(priority)s, %(priority)s, '{}', 0, 60, 0, 1, 0, 0, 0, 0, '', '', ''
      FROM generate_series(1, %(number)s)
    RETURNING id
"""


def many(
    tenant: Tenant,
    number: int,
    key: str = "",
    *,
    job_type: str | None = None,
    queue: str = QUEUE,
    priority: int = 50,
) -> list[UUID]:
    """So many ready jobs, in the order in which they were handed in."""
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {
            "tenant": tenant.pk, "number": number, "key": key, "queue": queue,
            "type": job_type or (KEYED if key else ECHO), "priority": priority,
        })  # fmt: skip
        return [job_id for (job_id,) in cursor.fetchall()]


def one(tenant: Tenant, key: str = "", *, priority: int = 50, queue: str = QUEUE) -> Job:
    (job_id,) = many(tenant, 1, key, priority=priority, queue=queue)
    return Job.objects.get(pk=job_id)


def place_of(job: Job) -> Place:
    return Place(job.queue_id, job.type, job.tenant_id, job.limit_key)


def worker(*queues: str, slots: int = 10, types: tuple[str, ...] = (ECHO, KEYED)) -> Worker:
    return Worker.objects.create(
        name=f"worker {Worker.objects.count()}",
        incarnation=making.stranger().id,
        queues=list(queues or (QUEUE, "mail")),
        types=list(types),
        slots=slots,
        seen_at=Now() + timedelta(hours=1),  # on a slow machine too it lives all the while
    )


class Leading:
    """A dispatcher in this process, and what its ticks send."""

    def __init__(self, name: str = "here") -> None:
        self.dispatcher = Dispatcher(app, holder=name)

    def tick(self) -> list[Job]:
        """What one tick sends, by the order in which it was handed in."""
        before = set(Job.objects.in_flight().values_list("pk", flat=True))
        self.dispatcher.tick()
        return list(Job.objects.in_flight().exclude(pk__in=before).order_by("seq"))

    def until_nothing_more(self, most: int = 20) -> list[Job]:
        """What ticks send until one sends nothing and no survey goes on."""
        found: list[Job] = []
        for _ in range(most):
            now = self.tick()
            found += now
            if not now and self.dispatcher._choosing.look_again_within > 1:
                return found
        raise AssertionError(f"it sends for ever: {len(found)}")

    def look_at_aged(self) -> None:
        self.dispatcher._look_at_aged()

    def recall(self) -> int:
        return self.dispatcher._recall()


def claim(job: Job) -> FencedJob:
    claimed = making.take(making.held(job))
    assert claimed is not None
    return claimed.held


def finish(job: Job) -> None:
    """Claimed if it was not, and completed."""
    if making.fresh(job).status == Status.QUEUED:
        claim(job)
    lifecycle.complete(making.held(job), result=None)
