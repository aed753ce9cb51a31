"""Schedules as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from jobs.terminal.words import clock, plain


def schedule_table(schedules: Sequence[dict[str, Any]]) -> Table:
    """As they come. Names are whole, to be copied; off a terminal nothing is cut."""
    tenants = len({one.get("tenant") for one in schedules}) > 1
    table = table_of("NAME", "STATE", "NEXT RUN (UTC)", "WHEN", "TYPE")
    if tenants:
        table.add_column("TENANT", no_wrap=True, overflow="ellipsis")
    for one in schedules:
        table.add_row(*_cells(one), *([Text(one["tenant"])] if tenants else []))
    return table


def line(text: object) -> str:
    """A stranger's text in one line that no terminal obeys."""
    return plain(text).replace("\n", " ")


def state(schedule: dict[str, Any]) -> Text:
    """On, off, or over: its end is past."""
    if not schedule["enabled"]:
        return Text("off", "dim")
    return Text("on", "green") if schedule["next_run_at"] else Text("over", "yellow")


def table_of(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in names:
        whole = name == "NAME" or "UTC" in name
        table.add_column(name, no_wrap=True, overflow="fold" if whole else "ellipsis")
    return table


def _cells(schedule: dict[str, Any]) -> list[Text]:
    zone = "" if schedule["timezone"] == "UTC" else f" ({schedule['timezone']})"
    next_run = schedule["next_run_at"]
    return [
        Text(line(schedule["name"])),
        state(schedule),
        Text(clock(next_run) if next_run else "–"),
        Text(line(schedule["in_words"] + zone)),
        Text(line(schedule["type"])),
    ]
