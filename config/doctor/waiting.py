"""Do jobs wait for a worker that does not exist, or for something that holds them?

It looks at so many ready jobs of each queue and no more: a look must cost the same beside a
million of them.
"""

from collections import Counter
from collections.abc import Iterator

from django.utils import timezone

from config.doctor.finding import Finding, fail, note, ok
from config.doctor.processes import START_WORKER, live_workers
from jobs import wording
from jobs.explain import explain
from jobs.models import Job, Queue
from jobs.states import Status
from jobs.stats import EVERYBODYS, oldest_of

_LOOK_AT = 10_000  # of each queue


def queues() -> Finding:
    """Every queue in which jobs wait is consumed by a live worker."""
    consumed = {queue for names in _reported("queues") for queue in names}
    left = {name: waiting(name) for name in _queue_names() if name not in consumed}
    left = {name: types for name, types in left.items() if types}
    if not left:
        return ok("Queues", "each in which jobs wait has a worker")
    counts = ", ".join(f"{_told(types.total())} in {name}" for name, types in left.items())
    return fail(
        "Queues",
        f"jobs wait and no worker consumes their queue: {counts}",
        why="They wait for ever.",
        way_out=f"{START_WORKER} -Q {','.join(left)} (or add them to WORKER_QUEUES of one)",
    )


def job_types() -> Finding:
    """Every type of which jobs wait is known to a live worker."""
    known = {name for names in _reported("types") for name in names}
    counted: Counter[str] = Counter()
    for name in _queue_names():
        counted += waiting(name)
    unknown = {name: number for name, number in counted.items() if name not in known}
    if not unknown:
        return ok("Job types", "workers know each of which jobs wait")
    counts = ", ".join(f"{_told(number)} of {name}" for name, number in sorted(unknown.items()))
    return fail(
        "Job types",
        f"jobs wait whose type no live worker knows: {counts}",
        why="They wait until one does; a worker knows the types it found when it started.",
        way_out="Name the app that declares them in CELERIAC_APPS of a worker, and restart it.",
    )


def longest() -> Finding:
    """The job that was handed in first and still waits has nothing but its turn to wait for."""
    job = oldest_of(EVERYBODYS)
    if job is None:
        return ok("Longest wait", "no job waits for a worker")
    waited = wording.roughly(max(0.0, (timezone.now() - job.created_at).total_seconds()))
    told = f"{job.type} {job.pk}, for {waited}"
    held = [reason for reason in explain(job).reasons if reason.is_hard]
    if not held:
        return ok("Longest wait", f"{told}; nothing but its turn is in the way")
    return note(
        "Longest wait",
        f"{told}: {' '.join(reason.detail for reason in held)}",
        why="It does not start while that is so.",
        way_out=" ".join(dict.fromkeys(reason.remedy for reason in held)),
    )


def waiting(queue: str) -> Counter[str]:
    """How many ready jobs of the queue are not sent yet, by type; counted up to a bound."""
    ready = Job.objects.filter(queue=queue, status=Status.QUEUED, dispatched_at=None)
    return Counter(ready.values_list("type", flat=True)[:_LOOK_AT])


def _queue_names() -> list[str]:
    return list(Queue.objects.order_by("name").values_list("name", flat=True))


def _reported(field: str) -> Iterator[list[str]]:
    yield from live_workers().values_list(field, flat=True)


def _told(number: int) -> str:
    return f"{_LOOK_AT} or more" if number >= _LOOK_AT else str(number)
