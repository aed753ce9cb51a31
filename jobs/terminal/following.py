"""Following one job to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from accounts.access import Access
from jobs.states import WAITING
from jobs.terminal.board import board, line
from jobs.terminal.reading import current, trouble
from jobs.terminal.words import ENDED

_ASK_WHY_EACH = 3.0  # seconds
_AWAY = "The database does not answer; the job is not affected, trying again."


@dataclass
class Followed:
    """A job, and what was last heard of it. `away`: the last look found no database."""

    job: dict[str, Any]
    access: Access
    trouble: str = ""  # no database to look into, or nobody at work who could run it

    def __rich__(self) -> RenderableType:
        rows = board([(self.job["type"], self.job)])
        return Group(rows, Text(self.trouble, "yellow")) if self.trouble else rows

    @property
    def seen(self) -> tuple[object, ...]:
        names = ("status", "progress", "progress_message", "retry_count", "position")
        return self.trouble, *(self.job[name] for name in names)

    @property
    def told(self) -> str:
        return "\n".join(filter(None, [line(self.job["type"], self.job), self.trouble]))


def follow(job: dict[str, Any], access: Access, console: Console | None) -> dict[str, Any]:
    """The job's document once it has ended, however long that takes. Meanwhile the console shows
    a moving bar on a terminal, elsewhere one line for each change."""
    followed = Followed(job=job, access=access)
    if console is None:
        for _ in _looks(followed):
            pass
    elif console.is_terminal:
        with Live(followed, console=console, refresh_per_second=12):
            for _ in _looks(followed):
                pass
    else:
        _tell_changes(followed, console)
    return followed.job


def _tell_changes(followed: Followed, console: Console) -> None:
    last: tuple[object, ...] = ()
    for _ in _looks(followed):
        if followed.seen != last:
            console.print(followed.told, soft_wrap=True, markup=False)
            last = followed.seen


def _looks(followed: Followed) -> Iterator[None]:
    """Look again and again until the job has ended; a look without a database is no end."""
    began = asked = time.monotonic()
    while True:
        try:
            followed.job = current(UUID(followed.job["id"]), followed.access)
            if time.monotonic() - asked > _ASK_WHY_EACH:
                asked, followed.trouble = time.monotonic(), trouble(UUID(followed.job["id"]))
            elif followed.trouble == _AWAY or followed.job["status"] not in WAITING:
                followed.trouble = ""
        except (OperationalError, InterfaceError):
            followed.trouble = _AWAY
            connection.close()
        yield
        if followed.job["status"] in ENDED:
            return
        time.sleep(pause(time.monotonic() - began))


def pause(waited_seconds: float) -> float:
    """Seconds between two looks: short jobs are seen to end at once, long ones cost little."""
    return min(1.0, max(0.1, waited_seconds / 40))
