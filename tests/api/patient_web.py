"""The web process, with a limiter that waits for a Redis on a busy machine."""

from __future__ import annotations

from config.asgi import application

# isort: split
# Django is set up from here on.
from accounts.rate_limits import limiting
from tests.api import patience

__all__ = ["application"]

limiting._limiter_at = patience.limiter_at
