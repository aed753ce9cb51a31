"""Do jobs wait for a worker that does not exist, or for something that holds them?

It looks at so many ready jobs of each queue and no more: a look must cost the same beside a
million of them.
"""

from collections import Counter
from collections.abc import Container, Iterable, Mapping

from django.utils import timezone

from config.doctor.finding import Finding, fail, note, ok
from config.doctor.processes import RESUME, START_PLATFORM_WORKER, START_WORKER
from jobs import wording
from jobs.dispatcher.selection import live_workers, reporting
from jobs.explain import explain
from jobs.models import Job, Queue, Wish
from jobs.states import Status
from jobs.stats import EVERYBODYS, oldest_of

_LOOK_AT = 10_000  # of each queue


def queues() -> Finding:
    """From every queue in which jobs wait a live worker takes some."""
    taken = {queue for worker in live_workers() for queue in worker.queues}
    left = {name: waiting(name).total() for name in _queue_names() if name not in taken}
    left = {name: number for name, number in left.items() if number}
    if not left:
        return ok("Queues", "each in which jobs wait has a worker")
    paused = {queue for worker in live_workers(Wish.PAUSE) for queue in worker.queues}
    absent = [name for name in left if name not in paused]
    start = f"{START_WORKER} -Q {','.join(absent)} (or add them to WORKER_QUEUES of one)"
    return fail(
        "Queues",
        f"jobs wait and no worker takes from their queue: {_listed('in', left, paused)}",
        why="They wait for ever.",
        way_out="; ".join([*_resume("queues", left), *([start] if absent else [])]),
    )


def platform_queues() -> Finding:
    """From every queue of the platform's own in which jobs wait a live worker takes some."""
    taken = {queue for worker in live_workers() for queue in worker.queues}
    left = {name: waiting(name).total() for name in _queue_names(internal=True)}
    left = {name: number for name, number in left.items() if number and name not in taken}
    if not left:
        return ok("The platform's queues", "each in which jobs wait has a worker")
    paused = {queue for worker in live_workers(Wish.PAUSE) for queue in worker.queues}
    absent = [name for name in left if name not in paused]
    start = START_PLATFORM_WORKER.format(",".join(absent))
    return fail(
        "The platform's queues",
        f"the platform's own jobs wait and no worker takes them: {_listed('in', left, paused)}",
        why="A worker of all queues leaves these out; what they would deliver is not delivered.",
        way_out="; ".join([*_resume("queues", left), *([start] if absent else [])]),
    )


def job_types() -> Finding:
    """Every type of which jobs wait is run by a live worker."""
    run = {name for worker in live_workers() for name in worker.types}
    counted: Counter[str] = Counter()
    for name in [*_queue_names(), *_queue_names(internal=True)]:
        counted += waiting(name)
    left = {name: number for name, number in sorted(counted.items()) if name not in run}
    if not left:
        return ok("Job types", "workers know each of which jobs wait")
    paused = {name for worker in live_workers(Wish.PAUSE) for name in worker.types}
    absent = not paused.issuperset(left)
    name_it = "Name the app that declares them in CELERIAC_APPS of a worker, and restart it."
    return fail(
        "Job types",
        f"jobs wait whose type no live worker runs: {_listed('of', left, paused)}",
        why="They wait until one does; a worker knows the types it found when it started.",
        way_out="; ".join([*_resume("types", left), *([name_it] if absent else [])]),
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


def _queue_names(*, internal: bool = False) -> list[str]:
    rows = Queue.objects.filter(internal=internal).order_by("name")
    return list(rows.values_list("name", flat=True))


def _resume(field: str, left: Iterable[str]) -> list[str]:
    """The commands for paused workers that could take some of what is left."""
    paused = reporting().filter(wish=Wish.PAUSE, **{f"{field}__overlap": list(left)})
    return [f"{RESUME} {name}" for name in paused.order_by("name").values_list("name", flat=True)]


def _listed(word: str, left: Mapping[str, int], paused: Container[str]) -> str:
    return ", ".join(
        f"{_told(number)} {word} {name}{' (its workers are paused)' if name in paused else ''}"
        for name, number in left.items()
    )


def _told(number: int) -> str:
    return f"{_LOOK_AT} or more" if number >= _LOOK_AT else str(number)
