"""One job, all that there is to say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from jobs.terminal.log_lines import in_words
from jobs.terminal.outcome import readable
from jobs.terminal.words import STYLES, clock, duration, happening, percent, plain
from jobs.webhook_url import outcome

_NAMED = (
    "tenant", "queue", "owner", "unique_key", "worker", "created_by",
    "created_at", "run_at", "started_at", "completed_at", "cancelled_at", "cancelled_by",
)  # fmt: skip


def show_job(
    job: dict[str, Any],
    why: list[str],
    attempts: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    console: Console,
) -> None:
    """Print it: facts, why it waits, payload, result or error, each attempt, the last lines that
    it logged."""
    for part in _parts(job, why, attempts, lines, plain_rules=not console.is_terminal):
        console.print(part, soft_wrap=not console.is_terminal)


def _parts(
    job: dict[str, Any],
    why: list[str],
    attempts: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    *,
    plain_rules: bool,
) -> Iterator[RenderableType]:
    def titled(title: str, body: RenderableType) -> RenderableType:
        rule = Text(f"{title}:") if plain_rules else Rule(title, align="left", style="cyan")
        return Group(Text(), rule, body)

    yield _facts(job)
    if why:
        yield titled("Why it does not run yet", Text(plain("\n".join(why))))
    yield titled("Payload", Text(readable(job["payload"])))
    if job["status"] == "completed":
        yield titled("Result", Text(job["result_url"] or readable(job["result"])))
    if job["artifacts"]:
        yield titled("Artifacts", _artifacts(job["artifacts"]))
    if job["error"]:
        yield titled("Error", _error(job["error"]))
    if attempts:
        yield titled("Attempts, the latest first", _attempts(attempts))
    if lines:
        yield titled("What it logged, the last lines", Text("\n".join(map(in_words, lines))))


def _facts(job: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    symbol, style = STYLES[job["status"]]
    table.add_row("job", Text(job["id"], "bold"))
    table.add_row("type", Text(plain(job["type"])))
    table.add_row("status", Text(f"{symbol} {job['status']}", style))
    table.add_row("", Text(happening(job)))
    table.add_row("priority", Text(f"{job['priority']} ({job['level']})"))
    table.add_row("progress", Text(f"{percent(job):.0f} %"))
    table.add_row("attempts", Text(_counts(job)))
    for name in _NAMED:
        if job.get(name):
            told = clock(job[name]) if name.endswith("_at") else plain(job[name])
            table.add_row(name.replace("_", " "), Text(told))
    if job["webhook_url"]:
        table.add_row("webhook", Text(_webhook(job)))
    for key, value in job["labels"].items():
        table.add_row("label", Text(plain(f"{key}={value}")))
    for other in job["depends_on"]:
        table.add_row("waits for", Text(other))
    return table


def _counts(job: dict[str, Any]) -> str:
    lost = f", {job['crash_count']} lost with their worker" if job["crash_count"] else ""
    return f"{job['attempt']}, {job['retry_count']} of {job['max_retries']} retries used{lost}"


def _webhook(job: dict[str, Any]) -> str:
    told = outcome(delivered=job["webhook_delivered"], attempts=job["webhook_attempts"])
    return f"{plain(job['webhook_url'])}, {told}"


def _error(error: dict[str, Any]) -> Text:
    told = f"{error['type']}: {error['message']}"
    return Text(plain("\n".join(filter(None, [told, error.get("traceback")])).rstrip()))


def _artifacts(artifacts: list[dict[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for one in artifacts:
        table.add_row(Text(plain(one["name"])), f"{one['size']:,} bytes")
    return table


def _attempts(attempts: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("no.", "started", "ran", "outcome", "worker", "error"):
        table.add_column(name, overflow="fold")
    for one in attempts:
        error = one["error"] or {}
        table.add_row(
            str(one["number"]),
            clock(one["started_at"] or "–"),
            duration(_ran(one)),
            one["outcome"] or "running",
            Text(plain(one["worker"] or "–")),
            Text(plain(f"{error['type']}: {error['message']}" if error else "")),
        )
    return table


def _ran(attempt: dict[str, Any]) -> float | None:
    if not attempt["started_at"] or not attempt["ended_at"]:
        return None
    began, ended = (datetime.fromisoformat(attempt[name]) for name in ("started_at", "ended_at"))
    return (ended - began).total_seconds()
