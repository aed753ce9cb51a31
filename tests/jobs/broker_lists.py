"""The broker's lists as a worker would read them, and an application whose broker is away."""

from __future__ import annotations

import socket
from typing import Any

from celery import Celery

from config.celery import app
from jobs.broker import consumed_queues

QUEUES = consumed_queues(["default", "mail", "reports"])


def messages(queue: str) -> list[Any]:
    """Take every message out of this list, the oldest first."""
    with app.connection_for_read() as connection:
        channel: Any = connection.default_channel
        taken = []
        while (message := channel.basic_get(queue, no_ack=True)) is not None:
            taken.append(message)
        return taken


def emptied() -> None:
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        channel.client.delete(*QUEUES)


def app_without_broker() -> Celery:
    """An application that publishes to a port where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    away = Celery("away", set_as_current=False)
    away.config_from_object("django.conf:settings", namespace="CELERY")
    away.conf.update(broker_url=f"redis://127.0.0.1:{port}/0")
    return away
