"""Are Redis and the broker there, and will they keep what they were given?"""

from typing import cast

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from config.doctor.finding import Finding, fail, ok, warn

_SECONDS = 3
_START = "Start it (`manage.py up` brings its own), or correct "


def redis_server() -> Finding:
    """Redis or Valkey answers, and does not drop keys when it is full."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
    )
    try:
        facts: dict[str, object] = {**_facts(client, "server"), **_facts(client, "memory")}
    except redis.RedisError as error:
        return fail("Redis", f"does not answer: {error}", f"{_START}REDIS_URL.")
    finally:
        client.close()
    product = facts.get("server_name", "redis")
    name = f"{product} {facts.get('valkey_version', facts.get('redis_version'))}"
    policy = facts.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        return warn(
            "Redis",
            f"{name}, maxmemory-policy {policy}: it drops messages when it is full",
            "CONFIG SET maxmemory-policy noeviction, and the same in its configuration file.",
        )
    return ok("Redis", f"{name}, maxmemory-policy noeviction")


def broker() -> Finding:
    """The broker takes our connection."""
    with current_app.connection_for_write() as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=_SECONDS)
        except (OperationalError, OSError) as error:
            return fail("Broker", f"does not answer: {error}", f"{_START}BROKER_URL.")
        return ok("Broker", f"{connection.hostname}:{connection.port}")


def _facts(client: redis.Redis, section: str) -> dict[str, object]:
    return cast(dict[str, object], client.info(section))  # not awaitable: the client is not async
