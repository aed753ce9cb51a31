"""What the rate limits counted, seen from outside."""

from __future__ import annotations

from typing import Any

import redis

from accounts.rate_limits.storages import PREFIX
from tests.api import kinds
from tests.api.calling import Answer, Caller

JOB: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}


def forget_hits(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        for key in client.scan_iter(f"{PREFIX}:*"):
            client.delete(key)


def told(answer: Answer) -> tuple[int, int, int]:
    """Limit, what remains, and when the oldest hit leaves."""
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    limit, remaining, reset = (int(answer.headers[name]) for name in names)
    return limit, remaining, reset


def statuses(caller: Caller, path: str, body: Any, times: int) -> list[int]:
    return [caller.post(path, body).status for _ in range(times)]
