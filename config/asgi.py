"""The web process: `uvicorn config.asgi:application --lifespan off`."""

import os
from typing import TYPE_CHECKING, cast

from django.core.asgi import get_asgi_application

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = cast("ASGI3Application", get_asgi_application())

from django.conf import settings  # noqa: E402 (what follows needs Django's settings)

from config.api.body_limit import BodyLimit  # noqa: E402
from config.steady_threads import SteadyThreads  # noqa: E402
from jobs.database import guard_connections  # noqa: E402

guard_connections(statement_seconds=30, lock_seconds=5)

application = BodyLimit(
    SteadyThreads(_django, size=settings.WEB_THREADS), limit=settings.API_MAX_BODY_BYTES
)
