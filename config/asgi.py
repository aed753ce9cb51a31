"""The web process: `uvicorn config.asgi:application --lifespan off`."""

import os
import warnings
from typing import TYPE_CHECKING, cast

from django.core.asgi import get_asgi_application

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = cast("ASGI3Application", get_asgi_application())

from django.conf import settings  # noqa: E402 (what follows needs Django's settings)

import config.urls  # noqa: E402,F401 (a page that cannot be imported is to stop the start)
from config.api.body_limit import BodyLimit  # noqa: E402
from config.api.content_type import ReadableContentType  # noqa: E402
from config.api.downloads import Downloads  # noqa: E402
from config.api.large_bodies import LargeBodies  # noqa: E402
from config.api.sizes import takes_many  # noqa: E402
from config.api.uploads import Uploads  # noqa: E402
from config.checks import refuse_unsafe_start  # noqa: E402
from config.logs.requests import RequestLog  # noqa: E402
from config.steady_threads import SteadyThreads  # noqa: E402
from jobs.database import guard_connections  # noqa: E402
from jobs.live.streams import Streams  # noqa: E402

refuse_unsafe_start()
# WhiteNoise has no answers that Django could read without a thread. Files work all the same.
warnings.filterwarnings(
    "ignore",
    message="StreamingHttpResponse must consume synchronous iterators",
    category=Warning,
    module=r"django\.core\.handlers\.asgi",
)
guard_connections(statement_seconds=30, lock_seconds=5)

_views = Downloads(SteadyThreads(_django, size=settings.WEB_THREADS))
_small = BodyLimit(_views, limit=settings.API_MAX_BODY_BYTES)
_large = LargeBodies(
    _views,
    limit=settings.API_MAX_BATCH_BYTES,
    small=settings.API_MAX_BODY_BYTES,
    take_many=takes_many,
    otherwise=_small,
)
_bodies = Uploads(_views, limit=settings.FILES_MAX_BYTES, otherwise=_large)
_streams = Streams(_bodies, most=settings.LIVE_STREAMS)
application = RequestLog(ReadableContentType(_streams))
