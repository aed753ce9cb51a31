"""Are Redis and the broker there, and will they keep what they were given?"""

from datetime import UTC, datetime
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError

from config.doctor.clock import compared
from config.doctor.finding import Finding, fail, note, ok, warn

_SECONDS = 2
_START = "Start it (`manage.py up` brings its own), or correct "
_OLDEST_REDIS = (6, 2)  # Valkey began with 7.2


def redis_server() -> Finding:
    """Redis or Valkey answers, is new enough, and does not drop keys when it is full."""
    try:
        with _client() as client:
            facts = {**_facts(client, "server"), **_facts(client, "memory")}
    except (redis.RedisError, ValueError, OSError) as error:
        return fail(
            "Redis",
            f"does not answer: {_sentence(error)}",
            why="Rate limits, live updates and, where it is the broker, all messages need it.",
            way_out=f"{_START}REDIS_URL.",
        )
    return _judged(facts)


def persistence() -> Finding:
    """Whether Redis still has its keys after a restart."""
    with _client() as client:
        facts = _facts(client, "persistence")
        snapshots = str(_configured(client, "save"))
    if facts.get("aof_enabled") or snapshots:
        return ok("Redis on disk", "append-only file" if facts.get("aof_enabled") else "snapshots")
    return note(
        "Redis on disk",
        "keeps nothing over a restart",
        why="No job is lost by that: messages are only nudges, and are sent again within seconds.",
        way_out="CONFIG SET appendonly yes, and the same in its configuration file.",
    )


def clock() -> Finding:
    """This machine's clock and that of Redis agree."""
    with _client() as client:
        before = datetime.now(UTC)
        seconds, micros = _answer(client.time())
        after = datetime.now(UTC)
    return compared("Redis's", datetime.fromtimestamp(seconds + micros / 1e6, UTC), before, after)


def broker() -> Finding:
    """The broker takes our connection."""
    with current_app.connection_for_write(connect_timeout=_SECONDS) as connection:
        try:
            connection.ensure_connection(max_retries=1, timeout=_SECONDS)
        except (OperationalError, OSError) as error:
            return fail(
                "Broker",
                f"does not answer: {_sentence(error)}",
                why="No message reaches a worker; jobs are accepted and wait.",
                way_out=f"{_START}BROKER_URL.",
            )
        return ok("Broker", f"{connection.hostname}:{connection.port}")


def _judged(facts: dict[str, Any]) -> Finding:
    is_valkey = "valkey_version" in facts
    version = str(facts.get("valkey_version") or facts.get("redis_version", ""))
    name = f"{'Valkey' if is_valkey else 'Redis'} {version}"
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    if not is_valkey and _numbers(version) < _OLDEST_REDIS:
        return fail(
            "Redis",
            f"{name} is too old",
            why="It lacks commands that Celeriac uses.",
            way_out=f"Upgrade to Redis {'.'.join(map(str, _OLDEST_REDIS))} or Valkey.",
        )
    if policy != "noeviction":
        return warn(
            "Redis",
            f"{name}, maxmemory-policy {policy}",
            why="When it is full it drops messages and limits without a word.",
            way_out="CONFIG SET maxmemory-policy noeviction, and the same in its configuration "
            "file.",
        )
    return ok("Redis", f"{name}, maxmemory-policy noeviction")


def _client() -> "redis.Redis":
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_SECONDS, socket_connect_timeout=_SECONDS
    )


def _facts(client: "redis.Redis", section: str) -> dict[str, Any]:
    return dict(_answer(client.info(section)))


def _configured(client: "redis.Redis", name: str) -> str:
    """A setting; hosted servers refuse to tell, which counts as set."""
    try:
        return str(_answer(client.config_get(name)).get(name, ""))
    except redis.ResponseError:
        return "unknown"


def _answer(reply: Any) -> Any:
    """The client's types allow for an awaitable; this client is not async."""
    return reply


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _sentence(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
