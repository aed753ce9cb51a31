"""One schedule, all that there is to say."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.terminal.outcome import readable
from jobs.terminal.words import clock, duration, plain
from scheduling.terminal.tables import line, state

_NAMED = (
    "description", "tenant", "owner", "queue", "level", "max_retries", "timeout_seconds",
    "dst_policy", "overlap", "misfire", "misfire_limit", "jitter_seconds", "webhook_url",
    "starts_at", "ends_at", "next_run_at", "last_run_at", "last_job_id",
    "created_at", "created_by", "updated_at",
)  # fmt: skip


def show_schedule(
    schedule: dict[str, Any], firings: list[dict[str, Any]], console: Console
) -> None:
    """Print it: facts, payload, and what became of its latest moments."""
    wide = not console.is_terminal
    console.print(_facts(schedule), soft_wrap=wide)
    console.print(Text("\nPayload:"), Text(readable(schedule["payload"])), sep="\n", soft_wrap=wide)
    if firings:
        console.print(Text("\nLatest runs:"), soft_wrap=wide)
        console.print(_firings(firings), soft_wrap=wide)


def _facts(schedule: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("schedule", Text(line(schedule["name"]), "bold"))
    table.add_row("id", Text(schedule["id"]))
    table.add_row("state", state(schedule))
    table.add_row("type", Text(line(schedule["type"])))
    table.add_row("when", Text(line(f"{schedule['in_words']} ({schedule['timezone']})")))
    table.add_row("expression", Text(line(schedule["cron_expression"])))
    if schedule["declared"]:
        table.add_row("declared", Text("in code; here it is switched on and off"))
    for name in _NAMED:
        if schedule.get(name) not in (None, ""):
            value = schedule[name]
            told = clock(value) if name.endswith("_at") else plain(value)
            table.add_row(name.replace("_", " "), Text(told))
    for key, value in schedule["labels"].items():
        table.add_row("label", Text(line(f"{key}={value}")))
    return table


def _firings(firings: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("moment (UTC)", "decision", "late", "job", "why"):
        table.add_column(name, overflow="fold")
    for one in firings:
        table.add_row(
            clock(one["moment"]) if one["moment"] else "by hand",
            one["decision"],
            duration(one["late_seconds"]) if one["moment"] else "–",
            one["job_id"] or "–",
            Text(line(one["reason"] or (f"by {one['by']}" if one["by"] else ""))),
        )
    return table
