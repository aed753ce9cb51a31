"""Words to the dispatcher over Redis: "work waits" and "a job of this type ran so long".

A nudge only shortens a wait: the dispatcher looks by itself each half second. So it is sent after
the commit, with a time-out of 100 ms, and after a failure not at all for a second; no answer of
Celeriac depends on it.
"""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any

import redis
from django.conf import settings

CHANNEL = "celeriac:dispatcher"
_TIMEOUT_SECONDS = 0.1
_BREAK_SECONDS = 1.0


class _Sender:
    """One connection a process, made on first use."""

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """In a forked child: the parent's connection is not ours, and its lock may be held."""
        self._lock = threading.Lock()
        self._client: redis.Redis | None = None
        self._silent_until = 0.0

    def send(self, message: dict[str, Any]) -> None:
        if time.monotonic() < self._silent_until:
            return
        try:
            self._connected().publish(CHANNEL, json.dumps(message))
        except (redis.RedisError, OSError):
            self._silent_until = time.monotonic() + _BREAK_SECONDS

    def _connected(self) -> redis.Redis:
        with self._lock:
            if self._client is None:
                self._client = redis.Redis.from_url(
                    settings.REDIS_URL,
                    socket_timeout=_TIMEOUT_SECONDS,
                    socket_connect_timeout=_TIMEOUT_SECONDS,
                    retry=None,
                )
            return self._client


_sender = _Sender()
os.register_at_fork(after_in_child=_sender.start_anew)


def work_waits(priority: int) -> None:
    """A job of this priority may have become ready."""
    _sender.send({"priority": priority})


def slot_freed(job_type: str, seconds: float) -> None:
    """An attempt ended: its slot is free, and its run time is a measurement for the window."""
    _sender.send({"type": job_type, "seconds": seconds})
