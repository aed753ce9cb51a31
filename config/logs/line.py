"""What a line of the log says, as fields, before anybody formats it.

Always: `time`, `level`, `service`, `logger`, `message`, `pid`. Where known: `worker`, and whatever
was bound around the work in hand (`request_id`, `tenant`, `job_id`, `job_type`, `attempt`). Then
the fields that the call named by `extra=`.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

from structlog.contextvars import get_contextvars
from structlog.typing import EventDict, WrappedLogger

from config.logs.service import service_of

_FIELDS = "_fields"  # the attribute under which structlog's own calls bring theirs
_NO_FIELDS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# What these attach is meant for their own formatters: requests with their query, arguments of
# tasks, coloured twins of the message.
_OTHERS = frozenset(
    {"amqp", "asyncio", "billiard", "celery", "django", "flower", "kombu", "tornado", "uvicorn"}
)

_process: dict[str, Any] = {"service": service_of(sys.argv)}


def name_worker(name: str) -> None:
    """From now on every line of this process and of those it forks says which worker it is."""
    _process["worker"] = name


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """The fields of a line, without its exception. The names above are never replaced."""
    fields = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
        "pid": record.process,
        **_process,
    }
    for name, value in _extras_of(record).items():
        fields.setdefault(name, value)
    return fields


def _extras_of(record: logging.LogRecord) -> dict[str, Any]:
    """What is bound, then what this call named: the nearer word counts."""
    bound = get_contextvars()
    if record.name.partition(".")[0] in _OTHERS:
        return bound
    own = {name: value for name, value in record.__dict__.items() if name not in _NO_FIELDS}
    return {**bound, **own.pop(_FIELDS, {}), **own}


def to_record(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """structlog's last processor: hand the event on to `logging`, where all lines meet."""
    passed = {name: event.pop(name) for name in ("exc_info", "stack_info") if name in event}
    return {"msg": event.pop("event", ""), "extra": {_FIELDS: event}, **passed}
