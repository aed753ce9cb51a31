"""Listens for nudges, so that the loop need not wait for its half second."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import redis
from django.conf import settings

from jobs.dispatcher.runtimes import Runtimes
from jobs.nudge import CHANNEL
from jobs.priorities import FLOORS, Level

logger = logging.getLogger(__name__)

_PRESSING = FLOORS[Level.HIGH]


class Nudges:
    def __init__(self, runtimes: Runtimes) -> None:
        self._runtimes = runtimes
        self._arrived = threading.Event()
        self._pressing = threading.Event()
        self._stopping = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._listen, name="nudges", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()
        self._arrived.set()
        self._pressing.set()

    def pause(self, seconds: float) -> None:
        """So long, or until work of a high level waits."""
        self._pressing.wait(seconds)
        self._pressing.clear()

    def wait(self, seconds: float) -> None:
        """Until a nudge arrives, or so long."""
        self._arrived.wait(seconds)
        self._arrived.clear()

    def wake(self) -> None:
        self._arrived.set()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow_channel()
            except (redis.RedisError, OSError):
                self._stopping.wait(1.0)

    def _follow_channel(self) -> None:
        client = redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=2, health_check_interval=10
        )
        with client, client.pubsub(ignore_subscribe_messages=True) as channel:  # type: ignore[no-untyped-call]
            channel.subscribe(CHANNEL)
            while not self._stopping.is_set():
                message = channel.get_message(timeout=1.0)
                if message:
                    self._note(message["data"])
                    self._arrived.set()

    def _note(self, data: bytes) -> None:
        try:
            told: Any = json.loads(data)
            if "type" in told:
                self._runtimes.record(str(told["type"]), float(told["seconds"]))
            elif int(told["priority"]) >= _PRESSING:
                self._pressing.set()
        except (ValueError, TypeError, KeyError):
            logger.warning("ignored a nudge that is not one of ours")
