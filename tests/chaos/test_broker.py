"""Messages that are lost are sent again, and nobody has to notice."""

from __future__ import annotations

import signal
import time

from jobs.models import Job
from jobs.priorities import Level
from jobs.states import Status
from tests.support.arena import Arena
from tests.support.waiting import wait_for

RUNNABLE_SENT_WITHIN = 10.0  # what is promised
LISTS = [f"default.{level}" for level in Level]


def test_g6_jobs_whose_messages_were_wiped_out_run_within_ten_seconds(arena: Arena) -> None:
    arena.dispatcher()
    worker = arena.worker(slots=1)
    warm = [arena.enqueue("testing.work").pk for _ in range(20)]
    for job_id in warm:  # so that the dispatcher knows them as short, and sends some ahead
        arena.wait_for_status(job_id, Status.COMPLETED, seconds=60)
    worker.send(signal.SIGSTOP)
    jobs = [arena.enqueue("testing.work").pk for _ in range(10)]
    with arena.redis() as client:
        wait_for(lambda: sum(client.llen(name) for name in LISTS) >= 2, seconds=60,
                 what="messages wait in the broker")  # fmt: skip
        client.flushall()
    wiped = time.monotonic()
    lost = Job.objects.in_flight().count()
    worker.send(signal.SIGCONT)

    for job_id in jobs:
        arena.wait_for_status(job_id, Status.COMPLETED, seconds=60)
    assert time.monotonic() - wiped < RUNNABLE_SENT_WITHIN
    assert lost >= 2
    assert set(Job.objects.filter(pk__in=jobs).values_list("attempt", flat=True)) == {1}
