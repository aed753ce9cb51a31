"""What goes into a tenant's stream: which event, when, of which jobs. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from jobs.states import FINAL, Status

if TYPE_CHECKING:
    from jobs.lifecycle.statement import Move

FIELD = "entry"
MOST_JOBS = 200  # in one entry

STARTED, PROGRESS, UPDATED = "job.started", "job.progress", "job.updated"
RETRYING, POSITION, SNAPSHOT = "job.retrying", "job.position", "job.snapshot"
BATCH_COMPLETED, STREAM_END = "batch.completed", "stream.end"
BEGIN, LOST = "begin", "lost"  # of a stream, told to nobody: it starts; entries could not be sent
ENDINGS = {status: f"job.{status.value}" for status in FINAL}

# Nobody outside sees anything of these.
_SILENT = frozenset({"dispatch", "withdraw", "renew"})
# They leave the status as it is.
_CHANGING = frozenset({"boost", "edit", "discard", "replace"})


def event_of(transition: str, status: Status) -> str | None:
    """The name of the event, or None where there is none to tell."""
    if transition in _SILENT:
        return None
    if transition in _CHANGING:
        return UPDATED
    if transition == "retry_later" and status == Status.SCHEDULED:
        return RETRYING
    if status == Status.PROCESSING:
        return STARTED if transition == "claim" else UPDATED
    return f"job.{status.value}"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`batch` instead of `jobs` for an event of a batch."""

    event: str
    at: datetime
    jobs: Sequence[UUID] = ()
    batch: UUID | None = None

    def packed(self) -> str:
        told: dict[str, Any] = {"event": self.event, "at": self.at.timestamp()}
        if self.jobs:
            told["jobs"] = [job.hex for job in self.jobs]
        if self.batch:
            told["batch"] = self.batch.hex
        return json.dumps(told, separators=(",", ":"))


def unpacked(text: bytes | str) -> Entry:
    """Raises ValueError, KeyError or TypeError for what is none of ours."""
    told = json.loads(text)
    return Entry(
        event=str(told["event"]),
        at=datetime.fromtimestamp(told["at"], UTC),
        jobs=[UUID(hex=job) for job in told.get("jobs", ())],
        batch=UUID(hex=told["batch"]) if "batch" in told else None,
    )


def entries_of(moves: Iterable[Move], transition: str) -> list[tuple[int, Entry]]:
    """Entries for the streams of the moves' tenants, each with the tenant's id. Moves of one
    tenant that are told alike share an entry, up to MOST_JOBS."""
    alike: dict[tuple[int, str], list[Move]] = {}
    for moved in moves:
        event = event_of(transition, moved.status)
        if event is not None:
            alike.setdefault((moved.tenant_id, event), []).append(moved)
    return [
        (
            tenant,
            Entry(event=event, at=part[-1].moved_at, jobs=[moved.id for moved in part]),
        )
        for (tenant, event), group in alike.items()
        for part in _parts(group)
    ]


def _parts(group: list[Move]) -> Iterable[list[Move]]:
    return (group[start : start + MOST_JOBS] for start in range(0, len(group), MOST_JOBS))
