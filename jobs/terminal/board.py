"""Rows of jobs whose bars move."""

from __future__ import annotations

from collections.abc import Iterable

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from jobs.terminal.words import LEVELS, STYLES, JobJson, happening, percent


def board(jobs: Iterable[tuple[str, JobJson]]) -> Table:
    """Named jobs as a table: state, name, level, bar and what is going on."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(width=23, no_wrap=True, overflow="ellipsis")
    table.add_column(width=6, no_wrap=True)
    table.add_column(ratio=2, min_width=12)
    table.add_column(width=5, justify="right", no_wrap=True)
    table.add_column(ratio=3, min_width=22, no_wrap=True, overflow="ellipsis")
    for name, job in jobs:
        symbol, style = STYLES[job["status"]]
        table.add_row(
            Text(symbol, style),
            Text(name, "bold" if job["status"] == "processing" else ""),
            Text(job["level"], LEVELS[job["level"]]),
            ProgressBar(
                total=100, completed=percent(job), complete_style=style, finished_style="green"
            ),
            Text(f"{percent(job):.0f} %", style),
            Text(happening(job), style),
        )
    return table


def line(name: str, job: JobJson) -> str:
    """One job as a line of plain text."""
    return f"{name:<23} {job['level']:<7} {percent(job):>3.0f} %  {happening(job)}"
