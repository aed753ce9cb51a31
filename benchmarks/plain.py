"""The yardstick: a Celery task without any record, on Celery's defaults."""

import os
from typing import Any

import redis
from celery import Celery

app = Celery("plain", broker=os.environ["PLAIN_BROKER_URL"])
_client = redis.Redis.from_url(os.environ["PLAIN_BROKER_URL"])
_DONE = "plain-done"


@app.task(ignore_result=True)
def count() -> None:
    """Leaves one mark in Redis, so that the benchmark sees it has run."""
    _client.incr(_DONE)


def done() -> int:
    """How many have run since `start_over`."""
    marks: Any = _client.get(_DONE)
    return int(marks or 0)


def start_over() -> None:
    _client.flushdb()
