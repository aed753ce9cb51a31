"""The yardstick: a Celery task without any record, on Celery's defaults."""

import os

import redis
from celery import Celery

app = Celery("plain", broker=os.environ["PLAIN_BROKER_URL"])
_client = redis.Redis.from_url(os.environ["PLAIN_BROKER_URL"])
DONE = "plain-done"


@app.task(ignore_result=True)
def count() -> None:
    """Leaves one mark in Redis, so that the benchmark sees it has run."""
    _client.incr(DONE)
