"""Expressions: read once, refused in words, never run in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from scheduling.cron import days, every, fields
from scheduling.cron.errors import CronError, shown

MAX_LENGTH = 256
NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_SHORTEST_CRON = 60  # seconds: cron knows nothing shorter than a minute


@dataclass(frozen=True, slots=True)
class Expression:
    """One that `parse` took. Either `period` or `cron` is set."""

    text: str  # as given
    period: timedelta | None = None  # of @every
    cron: str | None = None  # five fields, names and open ranges resolved


def parse(text: str, *, min_interval_seconds: int = 60) -> Expression:
    """What the text means. Raises CronError, in no more than milliseconds whatever the text."""
    _check_characters(text)
    words = text.split()
    if not words:
        raise CronError("the expression is empty; write five fields, as 0 2 * * *")
    if not words[0].startswith("@"):
        return Expression(text=text, cron=_cron(words, min_interval_seconds))
    if words[0].lower() == "@every":
        period = every.read(" ".join(words[1:]), least_seconds=min_interval_seconds)
        return Expression(text=text, period=period)
    return Expression(text=text, cron=_cron(_named(words).split(), min_interval_seconds))


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise CronError(f"an expression has at most {MAX_LENGTH} characters, not {len(text)}")
    for character in text:
        if not (character.isascii() and character.isprintable()):
            raise CronError(f"'{shown(character)}' is not a character of expressions")


def _named(words: list[str]) -> str:
    name = words[0].lower()
    if name == "@reboot":
        raise CronError("@reboot is not a time: a schedule runs by the clock only")
    if name not in NAMED:
        raise CronError(f"{shown(words[0])} is not one of {', '.join(NAMED)}, @every")
    if len(words) > 1:
        raise CronError(f"nothing may follow {name}, as {shown(words[1])} does")
    return NAMED[name]


def _cron(words: list[str], least_seconds: int) -> str:
    if len(words) != len(fields.KINDS):
        names = ", ".join(kind.name for kind in fields.KINDS)
        raise CronError(f"an expression has five fields ({names}), not {len(words)}")
    read = fields.read(words)
    if not days.ever_comes(read):
        raise CronError("it never runs: no such day is in any year (fields 3, 4 and 5)")
    if least_seconds > _SHORTEST_CRON:
        _check_gaps(read, least_seconds)
    return read.text


def _check_gaps(read: fields.Fields, least_seconds: int) -> None:
    closest = days.closest_seconds(read)
    if closest is not None and closest < least_seconds:
        raise CronError(f"it runs {closest} seconds apart, where {least_seconds} are the least")
