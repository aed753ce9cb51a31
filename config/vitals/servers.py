"""Looks at Redis and at the broker."""

from __future__ import annotations

import redis as redis_client
from celery import current_app
from django.conf import settings

from config.vitals.probe import Probe

_SECONDS = 1


def _look_at_redis() -> None:
    client = redis_client.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS, retry=None
    )
    with client:
        client.ping()


def _look_at_broker() -> None:
    bounds = {"socket_timeout": _SECONDS, "socket_connect_timeout": _SECONDS}
    with current_app.connection_for_write(
        connect_timeout=_SECONDS, transport_options=bounds
    ) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=_SECONDS)


redis = Probe("Redis", _look_at_redis)
broker = Probe("the broker", _look_at_broker)
