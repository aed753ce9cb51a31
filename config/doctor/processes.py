"""Do the processes that move jobs along show signs of life?"""

from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Now

from config.doctor.finding import Finding, fail, ok, warn
from config.vitals.health import BEAT_PATIENCE_SECONDS
from jobs.dispatcher.loop import DUTY
from jobs.models import Heartbeat, Leadership, Worker
from jobs.version import VERSION
from scheduling.scheduler import DUTY as SCHEDULER

# Workers report each two seconds.
_WORKER_SILENCE = timedelta(seconds=15)
START_WORKER = "celery -A config worker --task-events"
START_BEAT = "celery -A config beat"


def live_workers() -> QuerySet[Worker]:
    """Those that reported themselves a moment ago and are not about to stop."""
    return Worker.objects.filter(seen_at__gt=Now() - _WORKER_SILENCE, stopping=False)


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
    """At least one worker reported itself a moment ago."""
    names = list(live_workers().order_by("name").values_list("name", flat=True))
    if not names:
        return fail(
            "Workers",
            f"none was seen in the last {_WORKER_SILENCE.seconds} s",
            why="No job runs.",
            way_out=f"Start one: {START_WORKER}",
        )
    return ok("Workers", ", ".join(names))


def versions() -> Finding:
    """Live workers run the code that this is."""
    others = [
        f"{worker.name} runs {worker.version or 'an older one'}"
        for worker in live_workers().order_by("name")
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
