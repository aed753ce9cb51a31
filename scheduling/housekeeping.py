"""The platform's own periodic tasks: ordinary entries of beat, which operators see, move and switch
off on Celery's page, and whose results are kept like those of any other Celery task."""

from celery.schedules import crontab

HOUSEKEEPING = {
    "celeriac: old firings": {
        "task": "scheduling.remove_old_firings",
        "schedule": crontab(minute="40", hour="3"),
        "options": {"expire_seconds": 12 * 3600},
    },
    "celeriac: retention": {
        "task": "scheduling.retention",
        "schedule": crontab(minute="10", hour="4"),
        "options": {"expire_seconds": 12 * 3600},
    },
}
