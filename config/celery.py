"""The Celery application. Its settings are the `CELERY_…` names of `config.settings`."""

import os
from typing import Any

# SIGTERM then means a soft stop (running jobs get time to finish, the rest is given back); billiard
# reads this when it is first imported, hence before Celery.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# All of Django's checks would load every page and route: a sixth of a worker's memory, a quarter of
# its start. Nobody looks at what they say; `_refuse` runs those that keep a program from starting.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

import celery.concurrency
from celery import Celery, signals
from kombu.transport import TRANSPORT_ALIASES

from config.checks import refuse_unsafe_start
from config.logs.celery import log_as_everything_does
from scheduling.housekeeping import HOUSEKEEPING

# Under the names of the stock pool and transport: `--pool=threads`, and URLs, banners and Flower go
# on saying `redis`.
concurrency: Any = celery.concurrency  # its published types lack the aliases
concurrency.ALIASES["threads"] = "jobs.worker.thread_pool:TaskPool"
TRANSPORT_ALIASES["redis"] = TRANSPORT_ALIASES["rediss"] = "jobs.broker:GuardedTransport"

app = Celery("celeriac")
app.config_from_object("config.celery_settings:own_settings")
app.conf.beat_schedule = HOUSEKEEPING
app.autodiscover_tasks()
log_as_everything_does(app)


@signals.import_modules.connect(weak=False)
def _install_engine(sender: Celery, **_: object) -> None:
    """Job types become tasks once Django is set up, in workers alone: others send by name."""
    from jobs.worker import steps, task

    task.register_job_tasks(sender)
    steps.install(sender)


@signals.import_modules.connect(weak=False)
def _refuse(**_: object) -> None:
    """Celery would run Django's checks and not look at what they say."""
    refuse_unsafe_start()
