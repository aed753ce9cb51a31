"""Dead letters by group as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.terminal.job_table import age
from jobs.terminal.words import plain

_COLUMNS = (("FINGERPRINT", 32), ("JOBS", 4), ("LAST", 6), ("TYPE", 8), ("ERROR", 10))


def failure_table(groups: Sequence[dict[str, Any]], console: Console) -> Table:
    """Fingerprints are whole, to be copied; off a terminal nothing is cut."""
    tenants = len({group.get("tenant") for group in groups}) > 1
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name, least in _COLUMNS:
        table.add_column(name, min_width=least, no_wrap=True, overflow="ellipsis")
    if tenants:
        table.add_column("TENANT", min_width=6, no_wrap=True, overflow="ellipsis")
    for group in groups:
        table.add_row(*_cells(group), *([Text(group["tenant"])] if tenants else []))
    return table


def _cells(group: dict[str, Any]) -> list[Text]:
    more = "" if group["count_exact"] else "+"
    error = f"{group['exception']}: {group['sample']['message']}"
    return [
        Text(group["fingerprint"]),
        Text(f"{group['count']:,}{more}"),
        Text(age(group["last"])),
        Text(plain(group["type"])),
        Text(plain(error).replace("\n", " ")),
    ]
