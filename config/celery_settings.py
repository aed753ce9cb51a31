"""What Celery gets to see of the settings.

Celery keeps whatever it is configured with and shows it to everybody who may ask a worker, Flower
among them. Of its own settings it masks the broker's password, under this name alone; of a whole
settings module it would tell `REDIS_URL` and every other secret it cannot know to be one.
"""

from typing import Any

from django.conf import settings

_PREFIX = "CELERY_"
# Celery looks for this one under its whole name, and without it connects to the database anew for
# every task.
_AS_IT_IS = "CELERY_DB_REUSE_MAX"


def _own_settings() -> dict[str, Any]:
    """The `CELERY_…` names by Celery's own: `CELERY_BROKER_URL` as `broker_url`."""
    names = [name for name in dir(settings) if name.startswith(_PREFIX)]
    return {
        name if name == _AS_IT_IS else name.removeprefix(_PREFIX).lower(): getattr(settings, name)
        for name in names
    }


own_settings = _own_settings()
