"""What to run on this machine, taken from the settings."""

import os

from django.conf import settings

from config.settings import env
from config.supervision.home import Home
from config.supervision.stack import StackOptions


def stack_options() -> StackOptions:
    """The options of `up` and `demo`."""
    return StackOptions(
        home=Home(path=settings.CELERIAC_HOME),
        host=settings.HOST,
        port=settings.PORT,
        flower_port=settings.FLOWER_PORT,
        slots=settings.WORKER_CONCURRENCY or os.cpu_count() or 1,
        webhook_slots=settings.WEBHOOK_CONCURRENCY,
        soft_stop_seconds=settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT,
        log_level=settings.LOG_LEVEL,
        trusted_proxies=tuple(settings.TRUSTED_PROXIES),
        given={name: env.str(name, default="") for name in ("DATABASE_URL", "REDIS_URL")},
    )
