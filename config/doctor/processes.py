"""Do the processes that move jobs along show signs of life?"""

from django.db.models.functions import Now

from config.doctor.finding import Finding, fail, ok, warn
from config.vitals.health import BEAT_PATIENCE_SECONDS
from jobs import registry
from jobs.dispatcher.loop import DUTY
from jobs.dispatcher.selection import WORKER_SILENT_AFTER, reporting
from jobs.models import Heartbeat, Leadership, Wish, Worker
from jobs.version import VERSION
from scheduling.scheduler import DUTY as SCHEDULER

START_WORKER = "celery -A config worker --task-events"
START_PLATFORM_WORKER = "celery -A config worker -Q {} --pool=threads --concurrency=16"
START_BEAT = "celery -A config beat"
RESUME = "python manage.py workers resume"
_ASKED = {Wish.PAUSE: " (paused)", Wish.STOP: " (is to stop)", Wish.RESTART: " (is to restart)"}


def dispatcher() -> Finding:
    """Some dispatcher leads, so ready jobs are sent to workers."""
    leader = Leadership.objects.filter(duty=DUTY, expires_at__gt=Now()).first()
    if leader is None:
        return fail(
            "Dispatcher",
            "none leads",
            why="Jobs are accepted, but none is sent to a worker.",
            way_out="Start one, better two: python manage.py dispatch",
        )
    return ok("Dispatcher", f"{leader.holder} leads")


def workers() -> Finding:
    """At least one worker reported itself a moment ago and takes jobs."""
    seen = list(reporting().order_by("name"))
    told = ", ".join(_told(worker) for worker in seen)
    if any(worker.wish == Wish.RUN and not _is_the_platforms(worker) for worker in seen):
        return ok("Workers", told)
    if seen:
        return fail("Workers", f"none takes jobs: {told}", why="No job starts.", way_out=_way(seen))
    return fail(
        "Workers",
        f"none was seen in the last {WORKER_SILENT_AFTER.seconds} s",
        why="No job runs.",
        way_out=f"Start one: {START_WORKER}",
    )


def _told(worker: Worker) -> str:
    return worker.name + _ASKED.get(Wish(worker.wish), "")


def _is_the_platforms(worker: Worker) -> bool:
    """Whether it takes the platform's own jobs and no others."""
    return bool(worker.queues) and registry.internal_queues().issuperset(worker.queues)


def _way(seen: list[Worker]) -> str:
    paused = [worker.name for worker in seen if worker.wish == Wish.PAUSE]
    return f"Resume one: {RESUME} {paused[0]}" if paused else f"Start one: {START_WORKER}"


def versions() -> Finding:
    """Live workers run the code that this is."""
    others = [
        f"{worker.name} runs {worker.version or 'an older one'}"
        for worker in reporting().order_by("name")
        if worker.version != VERSION
    ]
    if others:
        return warn(
            "Versions",
            f"this is {VERSION}; {', '.join(others)}",
            why="Jobs may meet code that was not written for them.",
            way_out="Finish the deployment: restart those workers with this version.",
        )
    return ok("Versions", f"{VERSION} here and on each live worker")


def beat() -> Finding:
    """The scheduler said a moment ago that it lives."""
    sign = Heartbeat.objects.filter(duty=SCHEDULER).annotate(now=Now()).first()
    silent = (sign.now - sign.seen_at).total_seconds() if sign else None
    if sign and silent is not None and silent <= BEAT_PATIENCE_SECONDS:
        return ok("Beat", f"{sign.holder} runs")
    return fail(
        "Beat",
        "never ran" if silent is None else f"gave no sign of life for {silent:.0f} s",
        why="Without it no schedule fires and nothing is cleaned up.",
        way_out=f"Start one: {START_BEAT}",
    )
