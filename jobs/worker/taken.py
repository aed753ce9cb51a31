"""The messages that this worker has taken from the broker, and the jobs that they name."""

from __future__ import annotations

import logging
from typing import Any

from celery.worker import state

from jobs.message import FencedJob, MalformedMessage, decode

logger = logging.getLogger(__name__)

_state: Any = state  # its published types are of another release


def unfinished_jobs() -> list[FencedJob]:
    """The jobs of the messages that Celery has taken and not yet acknowledged."""
    requests = tuple(_state.requests.values())  # in one go: other threads take from there
    return [job for request in requests for job in named_jobs(request.message)]


def put_back_tasks() -> None:
    """Those of ordinary Celery tasks go back to their list: the broker keeps no copy. Celery does
    so itself where it closes its channel. Raises what the broker's client raises."""
    for request in tuple(_state.requests.values()):
        message: Any = request.message
        if not message.acknowledged:
            message.channel._restore(message)


def named_jobs(message: Any) -> list[FencedJob]:
    """The jobs that a message names; none where it is no message of ours."""
    try:
        arguments, _, _ = message.decode()
        return decode(arguments[0])
    except (MalformedMessage, ValueError, TypeError, LookupError):
        return []
    except Exception as error:  # noqa: BLE001 (whatever a message can provoke)
        logger.warning("a message cannot be read: %s", type(error).__name__)
        return []
