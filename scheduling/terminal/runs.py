"""Coming runs: as a table, as documents, and on the clocks of a zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from accounts.api.moment import shown
from jobs.terminal.words import clock
from scheduling.terminal.tables import line, table_of
from scheduling.timeline import Run


def run_table(runs: Iterable[Run]) -> Table:
    """As they come, which is by time."""
    table = table_of("WHEN (UTC)", "NAME", "TYPE", "TENANT")
    for run in runs:
        cells = (run.schedule.name, run.schedule.type, run.schedule.tenant.slug)
        table.add_row(clock(str(shown(run.moment))), *(Text(line(one)) for one in cells))
    return table


def run_documents(runs: Iterable[Run]) -> list[dict[str, Any]]:
    return [
        {
            "moment": shown(run.moment),
            "schedule_id": str(run.schedule.pk),
            "name": run.schedule.name,
            "type": run.schedule.type,
            "tenant": run.schedule.tenant.slug,
        }
        for run in runs
    ]


def in_zone(moment: datetime, zone: str) -> str:
    """`2026-03-29 03:30:00+02:00`, and beside it UTC where that is another."""
    there = moment.astimezone(ZoneInfo(zone)).isoformat(" ", "seconds")
    return there if zone == "UTC" else f"{there}  {clock(str(shown(moment)))} UTC"
