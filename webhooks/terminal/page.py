"""One endpoint, all that there is to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from jobs.terminal.words import clock, duration, plain
from webhooks.terminal.tables import delivery_table, heard, line, state

_NAMED = (
    "description", "tenant", "timeout_seconds", "retry", "consecutive_failures", "disabled_at",
    "last_success_at", "last_failure_at", "created_at", "created_by", "updated_at",
)  # fmt: skip


def show_endpoint(
    endpoint: dict[str, Any], deliveries: Sequence[dict[str, Any]], console: Console
) -> None:
    """Print it: facts, how it fared the last day, and its newest deliveries."""
    wide = not console.is_terminal
    console.print(_facts(endpoint), soft_wrap=wide)
    if deliveries:
        console.print(Text("\nNewest deliveries:"), soft_wrap=wide)
        console.print(delivery_table(deliveries), soft_wrap=wide)


def _facts(endpoint: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("endpoint", Text(line(endpoint["url"]), "bold"))
    table.add_row("id", Text(endpoint["id"]))
    table.add_row("state", state(endpoint))
    table.add_row("hears", Text(line(heard(endpoint))))
    for name in endpoint["headers"]:
        table.add_row("header", Text(line(f"{name}: ***")))
    for name in _NAMED:
        if endpoint.get(name) not in (None, ""):
            value = endpoint[name]
            told = clock(value) if name.endswith("_at") else plain(value)
            table.add_row(name.replace("_", " "), Text(told))
    for secret in endpoint["secrets"]:
        table.add_row("secret", Text(_secret(secret)))
    table.add_row("last day", Text(_fared(endpoint["statistics"])))
    return table


def _secret(secret: dict[str, Any]) -> str:
    made, ends = clock(secret["created_at"]), secret["expires_at"]
    return f"made {made}" + (f", signs until {clock(ends)}" if ends else "")


def _fared(counted: dict[str, Any]) -> str:
    """`18 delivered, 2 failed, 1 pending; an answer takes 120 ms, one in twenty over 800 ms`"""
    words = ", ".join(f"{counted[name]} {name}" for name in ("delivered", "failed", "pending"))
    if counted["seconds_p50"] is None:
        return words
    middle, slow = duration(counted["seconds_p50"]), duration(counted["seconds_p95"])
    return f"{words}; an answer takes {middle}, one in twenty over {slow}"
