"""The columns that people read: short time (UTC), level, service, sentence, other fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from structlog.dev import Column, ConsoleRenderer, KeyValueColumnFormatter

# A terminal obeys the first ones, which a path or a message from outside may hold; half a
# surrogate pair cannot be written at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_AT_REST = frozenset({"debug", "info"})
_DIM, _BOLD, _RESET = "\x1b[2m", "\x1b[1m", "\x1b[0m"
_LEVELS = {
    "critical": "\x1b[1;31m",
    "error": "\x1b[31m",
    "warning": "\x1b[33m",
    "info": "\x1b[32m",
    "debug": _DIM,
}
_SERVICE_WIDTH = 12
_BEFORE_SERVICE = " " * len("12:34:56.789 critical ")


class Layout:
    """Lays a line's fields out in columns. Nothing in them can command the terminal."""

    def __init__(self, *, colours: bool) -> None:
        self._render = ConsoleRenderer(columns=_columns(colours))
        self._dim, self._reset = (_DIM, _RESET) if colours else ("", "")

    def line(self, fields: Mapping[str, Any], below: str | None = None) -> str:
        """The fields of a line, and `below` them what belongs to it, such as a traceback."""
        shown = {name: printable(value) for name, value in fields.items() if name != "pid"}
        shown["time"] = shown["time"][11:23]
        shown["message"] = shown["message"].rstrip("\n").replace("\n", "\n    ")
        if shown["level"] in _AT_REST:
            shown.pop("logger", None)
        line = str(self._render(None, shown["level"], shown))
        return f"{line}\n{printable(below)}" if below else line

    def foreign(self, service: str, text: str) -> str:
        """A line in a form of its own, as it is, behind the name of who wrote it."""
        name = f"{self._dim}{printable(service):<{_SERVICE_WIDTH}}{self._reset}"
        return f"{_BEFORE_SERVICE}{name} {printable(text)}".rstrip()


def printable(value: object) -> str:
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text_of(value))


def text_of(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 (a line is worth more than one field of it)
        return f"(cannot be printed: {type(error).__name__})"


def _columns(colours: bool) -> list[Column]:
    dim, bold, reset = (_DIM, _BOLD, _RESET) if colours else ("", "", "")

    def plain(style: str, width: int = 0) -> KeyValueColumnFormatter:
        return KeyValueColumnFormatter(None, style, reset, str, width)

    def level(key: str, value: object) -> str:
        text = f"{value!s:<8}"
        return f"{_LEVELS.get(str(value), '')}{text}{reset}" if colours else text

    return [
        Column("", KeyValueColumnFormatter(dim, dim, reset, str)),
        Column("time", plain(dim)),
        Column("level", level),
        Column("service", plain(dim, _SERVICE_WIDTH)),
        Column("message", plain(bold)),
    ]
