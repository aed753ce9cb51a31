"""The rows of jobs on the screen."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from config.demo.api import JobJson
from config.demo.durations import duration
from config.demo.followed import Followed

STYLES = {
    "scheduled": ("◷", "yellow"),
    "blocked": ("◷", "yellow"),
    "queued": ("·", "dim"),
    "processing": ("▶", "cyan"),
    "completed": ("✔", "green"),
    "failed": ("✘", "red"),
    "cancelled": ("–", "magenta"),
}
LEVELS = {"urgent": "bold red", "high": "bold yellow", "normal": "default", "low": "dim"}


def board(followed: Sequence[Followed]) -> Table:
    """All jobs as a table: state, name, level, bar and what is going on."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=1)
    table.add_column(width=23, no_wrap=True, overflow="ellipsis")
    table.add_column(width=6, no_wrap=True)
    table.add_column(ratio=2, min_width=12)
    table.add_column(width=5, justify="right", no_wrap=True)
    table.add_column(ratio=3, min_width=22, no_wrap=True, overflow="ellipsis")
    for one in followed:
        symbol, style = STYLES[one.job["status"]]
        table.add_row(
            Text(symbol, style),
            Text(one.submission.name, "bold" if one.job["status"] == "processing" else ""),
            Text(one.job["level"], LEVELS[one.job["level"]]),
            _bar(one.job, style),
            Text(f"{percent(one.job):.0f} %", style),
            Text(happening(one.job), style),
        )
    return table


def line(one: Followed) -> str:
    """One job as a line of plain text."""
    name, job = one.submission.name, one.job
    return f"{name:<23} {job['level']:<7} {percent(job):>3.0f} %  {happening(job)}"


def percent(job: JobJson) -> float:
    return 100.0 if job["status"] == "completed" else float(job["progress"] or 0)


def happening(job: JobJson) -> str:
    """What the job is at, in a few words."""
    if job["status"] == "processing":
        return str(job["progress_message"] or "processing")
    if job["status"] == "scheduled" and job["retry_count"]:
        return f"failed, retry {job['retry_count']} of {job['max_retries']} {_soon(job)}"
    if job["status"] == "completed":
        return f"completed in {duration(job['actual_duration_seconds'])}{_retries(job)}"
    if job["status"] == "failed":
        return f"failed: {(job['error'] or {}).get('message', 'unknown reason')}"
    return str(job["status"])


def _bar(job: JobJson, style: str) -> ProgressBar:
    return ProgressBar(
        total=100, completed=percent(job), complete_style=style, finished_style="green"
    )


def _soon(job: JobJson) -> str:
    if not job["next_retry_at"]:
        return "soon"
    moment = datetime.fromisoformat(job["next_retry_at"].replace("Z", "+00:00"))
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return f"in {seconds:.0f} s" if seconds > 1 else "now"


def _retries(job: JobJson) -> str:
    count = job["retry_count"]
    return f", {count} {'retry' if count == 1 else 'retries'}" if count else ""
