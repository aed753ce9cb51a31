"""The two forms of a line: JSON for machines, columns for people on a terminal."""

from __future__ import annotations

import json
import logging
from typing import Any

from config.logs.exceptions import exc_info_of, structured, told
from config.logs.layout import Layout, text_of
from config.logs.line import fields_of
from config.logs.redaction import Redaction


class JsonLines(logging.Formatter):
    """One JSON object a line, whatever the fields hold."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=text_of).encode

    def format(self, record: logging.LogRecord) -> str:
        fields = fields_of(record)
        exc_info = exc_info_of(record)
        if exc_info:
            fields["exception"] = structured(exc_info)
        if record.stack_info:
            fields["stack"] = record.stack_info
        return self._redaction(self._encoded(fields))

    def _encoded(self, fields: dict[str, Any]) -> str:
        try:
            return self._encode(fields)
        except (ValueError, TypeError, RecursionError):  # not a number, a circle, keys of any kind
            return self._encode({name: text_of(value) for name, value in fields.items()})


class Columns(logging.Formatter):
    """What `Layout` makes of the line, its exception below it as Python shows it."""

    def __init__(self, redaction: Redaction, *, colours: bool) -> None:
        super().__init__()
        self._redaction = redaction
        self._layout = Layout(colours=colours)

    def format(self, record: logging.LogRecord) -> str:
        exc_info = exc_info_of(record)
        below = told(exc_info) if exc_info else record.stack_info
        return self._redaction(self._layout.line(fields_of(record), below))
