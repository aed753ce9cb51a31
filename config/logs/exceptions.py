"""An exception as the log shows it: where it happened, never the values of variables."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType
from typing import Any

from structlog.tracebacks import ExceptionDictTransformer

_FRAMES = 30
_JOINS = {
    True: "The above exception was the direct cause of the following exception:",
    False: "During handling of the above exception, another exception occurred:",
}
ExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

# Local variables hold payloads and tokens.
_structured = ExceptionDictTransformer(show_locals=False, max_frames=_FRAMES)


def structured(exc_info: ExcInfo) -> Any:
    """For machines: a list of exceptions with type, value and frames, the one raised last first."""
    kind, error, frames = exc_info
    if kind is None or error is None:
        return None
    try:
        return _structured((kind, error, frames))
    except Exception:  # noqa: BLE001 (billiard's tracebacks only look like Python's)
        return [{"exc_type": kind.__qualname__, "exc_value": told(exc_info)}]


def told(exc_info: ExcInfo) -> str:
    """For people: Python's own traceback."""
    kind, error, frames = exc_info
    try:
        return "".join(traceback.format_exception(kind, error, frames)).rstrip()
    except Exception:  # noqa: BLE001 (as above; or the exception cannot be printed)
        return getattr(kind, "__qualname__", "an exception")


def retold(exceptions: Any) -> str:
    """What `structured` made, in the order and the words of Python's own traceback."""
    try:
        *earlier, last = reversed(exceptions)
        parts = [part for one in earlier for part in (_retold(one), _JOINS[bool(one["is_cause"])])]
        return "\n\n".join([*parts, _retold(last)])
    except (TypeError, ValueError, KeyError, AttributeError):  # somebody else's field of that name
        return str(exceptions)


def _retold(one: dict[str, Any]) -> str:
    frames = [
        f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}'
        for frame in one.get("frames") or []
    ]
    members = [retold(member) for member in one.get("exceptions") or []]  # of a group
    return "\n".join(
        [
            *(["Traceback (most recent call last):", *frames] if frames else []),
            f"{one['exc_type']}: {one['exc_value']}",
            *(one.get("exc_notes") or []),
            *(f"  | {line}" for member in members for line in member.split("\n")),
        ]
    )


def exc_info_of(record: logging.LogRecord) -> ExcInfo | None:
    return record.exc_info if record.exc_info and record.exc_info[0] else None
