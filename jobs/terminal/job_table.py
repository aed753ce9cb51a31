"""Jobs as a table that fits the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.terminal.words import STYLES, happening, plain

_WIDE = 110  # columns from which there is room for all of these, else the first few
_NARROW = 4
_COLUMNS = (
    ("ID", 36), ("STATUS", 10), ("AGE", 6), ("TYPE", 8), ("QUEUE", 7), ("LEVEL", 6), ("WHAT", 10),
)  # fmt: skip


def job_table(jobs: Sequence[dict[str, Any]], console: Console) -> Table:
    """Newest first, as they come. Ids are whole, to be copied; off a terminal nothing is cut."""
    wide = not console.is_terminal or console.width >= _WIDE
    tenants = wide and len({job.get("tenant") for job in jobs}) > 1
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, least in _COLUMNS if wide else _COLUMNS[:_NARROW]:
        longest = _room_for_what(jobs, console, tenants) if name == "WHAT" else None
        table.add_column(
            name, min_width=least, max_width=longest, no_wrap=True, overflow="ellipsis"
        )
    if tenants:
        table.add_column("TENANT", min_width=6, no_wrap=True, overflow="ellipsis")
    for job in jobs:
        cells = _cells(job)[: None if wide else _NARROW]
        table.add_row(*cells, *([Text(job["tenant"])] if tenants else []))
    return table


def _room_for_what(jobs: Sequence[dict[str, Any]], console: Console, tenants: bool) -> int | None:
    """What the other columns leave of a terminal: rich would take it from all of them, and leave
    some without any."""
    if not console.is_terminal:
        return None
    rows = [[len(cell) for cell in _cells(job)[:-1]] for job in jobs]
    widths = [
        max([least, *(row[place] for row in rows)])
        for place, (_, least) in enumerate(_COLUMNS[:-1])
    ]
    if tenants:
        widths.append(max([6, *(len(job["tenant"]) for job in jobs)]))
    return max(_COLUMNS[-1][1], console.width - sum(widths) - 2 * (len(widths) + 1))


def _cells(job: dict[str, Any]) -> list[Text]:
    _, style = STYLES[job["status"]]
    return [
        Text(job["id"]),
        Text(job["status"], style),
        Text(age(job["created_at"])),
        Text(plain(job["type"])),
        Text(job["queue"]),
        Text(job["level"]),
        Text(happening(job)),
    ]


def age(created_at: str) -> str:
    """How long ago, in one unit: `5 s`, `3 min`, `2 h`, `9 d`."""
    made = datetime.fromisoformat(created_at.replace("Z", "+00:00"))
    seconds = max(0.0, (datetime.now(made.tzinfo) - made).total_seconds())
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
