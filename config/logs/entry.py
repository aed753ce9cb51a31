"""One line of a log file, and as much of it as can be told: when, how grave, which job."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from config.logs.exceptions import retold
from config.logs.layout import Layout

RANKS = {"debug": 0, "info": 1, "warning": 2, "error": 3, "critical": 4}


@dataclass(frozen=True, kw_only=True)
class _Form:
    """How a program that is not ours begins its lines."""

    head: re.Pattern[str]
    time: str
    levels: dict[str, str]


_DAY = r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
_FORMS = (
    _Form(  # PostgreSQL
        head=re.compile(_DAY + r"\.\d{3}) (?P<zone>\S+) \[\d+\] (?P<level>[A-Z]+)"),
        time="%Y-%m-%d %H:%M:%S.%f",
        levels={
            "DEBUG": "debug",
            "LOG": "info",
            "INFO": "info",
            "NOTICE": "info",
            "WARNING": "warning",
            "ERROR": "error",
            "FATAL": "error",
            "PANIC": "critical",
        },
    ),
    _Form(  # supervisord
        head=re.compile(_DAY + r",\d{3}) (?P<zone>)(?P<level>[A-Z]{4}) "),
        time="%Y-%m-%d %H:%M:%S,%f",
        levels={
            "BLAT": "debug",
            "TRAC": "debug",
            "DEBG": "debug",
            "INFO": "info",
            "WARN": "warning",
            "ERRO": "error",
            "CRIT": "critical",
        },
    ),
    _Form(  # Valkey
        head=re.compile(
            r"\d+:[A-Z] (?P<at>\d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3}) (?P<zone>)(?P<level>[.*#-]) "
        ),
        time="%d %b %Y %H:%M:%S.%f",
        levels={".": "debug", "-": "debug", "*": "info", "#": "warning"},
    ),
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`service` is the file's name. `fields` is None where the line is none of ours; `at` (seconds
    of the epoch) and `level` where it does not say them."""

    service: str
    text: str
    at: float | None = None
    level: str | None = None
    fields: dict[str, Any] | None = None

    def is_at_least(self, level: str) -> bool:
        """A line that does not say how grave it is may be part of a traceback, so it counts."""
        return self.level not in RANKS or RANKS[self.level] >= RANKS[level]

    def is_about(self, job_id: str) -> bool:
        fields = self.fields or {}
        return fields.get("job_id") == job_id or job_id in str(fields.get("path", "")).split("/")

    def as_json(self) -> str:
        """One JSON object: the line itself if it is one."""
        if self.fields is not None:
            return self.text
        at = datetime.fromtimestamp(self.at, UTC) if self.at is not None else None
        said = {
            "time": at.isoformat(timespec="milliseconds") if at else None,
            "level": self.level,
            "service": self.service,
            "message": self.text,
        }
        return json.dumps({name: value for name, value in said.items() if value is not None})

    def in_columns(self, layout: Layout) -> str:
        if self.fields is None:
            return layout.foreign(self.service, self.text)
        fields = dict(self.fields)
        exception, stack = fields.pop("exception", None), fields.pop("stack", None)
        return layout.line(fields, retold(exception) if exception else stack)


def entry_of(service: str, text: str) -> Entry:
    """What a line says. Never raises, whatever the line is."""
    return _own(service, text) or _foreign(service, text)


def _own(service: str, text: str) -> Entry | None:
    if not text.startswith("{"):
        return None
    try:
        fields = json.loads(text)
        at = datetime.fromisoformat(fields["time"])
        level, _ = fields["level"], fields["message"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return Entry(service=service, text=text, at=at.timestamp(), level=level, fields=fields)


def _foreign(service: str, text: str) -> Entry:
    for form in _FORMS:
        head = form.head.match(text)
        at = _moment(head["at"], form.time, head["zone"]) if head else None
        if head and at is not None:
            level = form.levels.get(head["level"])
            return Entry(service=service, text=text, at=at, level=level)
    return Entry(service=service, text=text)


def _moment(text: str, form: str, zone: str) -> float | None:
    """They write this machine's time unless they say UTC."""
    try:
        at = datetime.strptime(text, form)
    except ValueError:
        return None
    return (at.replace(tzinfo=UTC) if zone == "UTC" else at.astimezone()).timestamp()
