"""How grave a line is that a job logs: the names of Python's logging."""

from __future__ import annotations

import logging
from enum import StrEnum


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def number(self) -> int:
        return logging.getLevelNamesMapping()[self.name]
