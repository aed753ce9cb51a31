"""What Celery gets to see of the settings.

Celery keeps whatever it is configured with and shows it to everybody who may ask a worker, Flower
among them. Of its own settings it masks the broker's password, under this name alone; of a whole
settings module it would tell `REDIS_URL` and every other secret it cannot know to be one.
"""

from typing import Any

from django.conf import settings

_PREFIX = "CELERY_"


def _own_settings() -> dict[str, Any]:
    """The `CELERY_…` names by Celery's own: `CELERY_BROKER_URL` as `broker_url`."""
    return {
        name.removeprefix(_PREFIX).lower(): getattr(settings, name)
        for name in dir(settings)
        if name.startswith(_PREFIX)
    }


own_settings = _own_settings()
