"""Do the processes that move jobs along show signs of life?"""

from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask

from config.doctor.finding import Finding, fail, ok, warn
from config.supervision.leftovers import records
from jobs.dispatcher.loop import DUTY
from jobs.models import Leadership, Worker

# Workers report each two seconds.
_WORKER_SILENCE = timedelta(seconds=15)
_BEAT_SILENCE = timedelta(minutes=15)


def dispatcher() -> Finding:
    """Some dispatcher leads, so ready jobs are sent to workers."""
    leader = Leadership.objects.filter(duty=DUTY, expires_at__gt=Now()).first()
    if leader is None:
        return fail(
            "Dispatcher",
            "none leads: no job is sent to a worker",
            "Start one: python manage.py dispatch",
        )
    return ok("Dispatcher", f"{leader.holder} leads")


def workers() -> Finding:
    """At least one worker reported itself a moment ago."""
    seen = Worker.objects.filter(seen_at__gt=Now() - _WORKER_SILENCE).order_by("name")
    names = [worker.name for worker in seen if not worker.stopping]
    if not names:
        return fail(
            "Workers",
            f"none was seen in the last {_WORKER_SILENCE.seconds} s: no job runs",
            "Start one: celery -A config worker -E",
        )
    return ok("Workers", ", ".join(names))


def beat() -> Finding:
    """The scheduler runs here, or has fired something lately."""
    here = [record for record in records(settings.CELERIAC_HOME / "run") if record.name == "beat"]
    if any(record.process() for record in here):
        return ok("Beat", "runs on this machine")
    recent = PeriodicTask.objects.filter(last_run_at__gt=Now() - _BEAT_SILENCE)
    last = recent.order_by("-last_run_at").first()
    if last is None:
        return warn(
            "Beat",
            "does not run here, and fired nothing in the last 15 minutes",
            "Start it if it does not run elsewhere: celery -A config beat "
            "--scheduler django_celery_beat.schedulers:DatabaseScheduler",
        )
    return ok("Beat", f"fired {last.name} at {last.last_run_at:%H:%M:%S} UTC")
