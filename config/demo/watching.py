"""Following jobs to their end."""

import time
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.rule import Rule

from config.demo.api import Api, ApiError, JobJson
from config.demo.board import board, line
from config.demo.followed import Followed

LONGEST = 1800.0
"""Seconds. With a slow language model a document takes minutes, but something must end a show."""


def follow(api: Api, followed: list[Followed], console: Console) -> None:
    """Show the jobs until all have ended; raises ApiError, also if they take too long.

    On a terminal the rows move; elsewhere each change is one line.
    """
    console.print()
    console.print(Rule("Jobs on their way", align="left", style="cyan"))
    if console.is_terminal:
        with Live(console=console, get_renderable=lambda: board(followed), refresh_per_second=12):
            for _ in _looks(api, followed):
                pass
    else:
        for one in followed:
            console.print(line(one), soft_wrap=True)
        for changed in _looks(api, followed):
            console.print(line(changed), soft_wrap=True)
    console.print()


def _looks(api: Api, followed: list[Followed]) -> Iterator[Followed]:
    """Ask for one job after the other; yields those that changed."""
    end = time.monotonic() + LONGEST
    while waiting := [one for one in followed if not one.has_ended]:
        for one in waiting:
            if time.monotonic() > end:
                raise ApiError(f"After {LONGEST:.0f} s some jobs have still not ended.")
            time.sleep(api.pause)
            before, one.job = one.job, api.job(one.job["id"])
            if _visible(before) != _visible(one.job):
                yield one


def _visible(job: JobJson) -> tuple[object, ...]:
    return job["status"], job["progress"], job["progress_message"], job["retry_count"]
