"""What came out: the notes as one would read them, then the times."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from config.demo.api import JobJson
from config.demo.followed import Followed
from jobs.terminal.words import STYLES, duration

QUESTIONS_SHOWN = 1


def report(followed: Sequence[Followed], console: Console) -> None:
    """Print the notes of every document, the failures, and a table of times."""
    console.print(Rule("What came out", align="left", style="cyan"))
    for one in followed:
        if one.job["status"] != "completed":
            console.print(_failure(one))
        elif one.submission.makes_notes:
            console.print(_notes(one.job["result"], one.submission.name))
    console.print(Rule("How long it took", align="left", style="cyan"))
    console.print(_times(followed))


def _notes(notes: dict[str, Any], name: str) -> Panel:
    """One document's notes, with the first point of each section."""
    parts: list[RenderableType] = [Text(notes["summary"], "italic")]
    parts += [Text(), _sections(notes)]
    parts += [Text(), Text.assemble(("Key terms  ", "bold"), " · ".join(notes["key_terms"]))]
    for question in notes.get("quiz", [])[:QUESTIONS_SHOWN]:
        parts += [Text(), *_question(question)]
    parts += [Text(f"Note: {warning}", "yellow") for warning in notes["warnings"]]
    return Panel(
        Group(*parts),
        title=Text(f" {notes['title']} ", "bold"),
        title_align="left",
        subtitle=Text(_origin(notes, name), "dim"),
        subtitle_align="right",
        border_style="cyan",
        padding=(1, 2),
    )


def _sections(notes: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2), expand=True)
    table.add_column(ratio=3, style="cyan")
    table.add_column(ratio=8)
    for section in notes["sections"]:
        heading = section["heading"]
        # Sentences above the first heading are filed under the title, which stands there already.
        table.add_row(
            "" if heading == notes["title"] else Text(heading), Text(section["points"][0])
        )
    return table


def _question(question: dict[str, Any]) -> list[RenderableType]:
    choices = "   ".join(f"({letter}) {choice}" for letter, choice in _lettered(question))
    asked: list[RenderableType] = [
        Text.assemble(("Question  ", "bold"), question["question"]),
    ]
    if choices:
        asked.append(Padding(Text(choices), (0, 0, 0, 10)))
    asked.append(Padding(Text(f"Answer: {question['answer']}", "dim"), (0, 0, 0, 10)))
    return asked


def _lettered(question: dict[str, Any]) -> list[tuple[str, str]]:
    return list(zip("abcdefgh", question["choices"], strict=False))


def _origin(notes: dict[str, Any], name: str) -> str:
    points = sum(len(section["points"]) for section in notes["sections"])
    by = f"by {notes['model']}" if notes["generation_method"] == "ai" else "extracted, no model"
    return f" {name}, {by}, {len(notes['sections'])} of {points} points "


def _failure(one: Followed) -> Panel:
    error = one.job["error"] or {}
    text = f"{error.get('type', one.job['status'])}: {error.get('message', '')}".strip(": ")
    return Panel(Text(text), title=Text(f" {one.submission.name} "), border_style="red")


def _times(followed: Sequence[Followed]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("job", no_wrap=True)
    table.add_column("level")
    for name in ("attempts", "waited", "ran", "in all"):
        table.add_column(name, justify="right")
    for one in sorted(followed, key=lambda one: one.job["started_at"] or ""):
        symbol, style = STYLES[one.job["status"]]
        job = one.job
        table.add_row(
            Text.assemble((f"{symbol} ", style), one.submission.name),
            job["level"],
            str(job["attempt"]),
            _between(job, "created_at", "started_at"),
            duration(job["actual_duration_seconds"]),
            _between(job, "created_at", "completed_at"),
        )
    return table


def _between(job: JobJson, start: str, end: str) -> str:
    if not job[start] or not job[end]:
        return "–"
    return duration((_moment(job[end]) - _moment(job[start])).total_seconds())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
