"""What somebody should look at, though everything may be there: for /health and the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from jobs.stats import Whose
from scheduling.overdue import Missed, Overdue, missed_lately, overdue


class AlertKind(StrEnum):
    SCHEDULE_MISSED = "schedule_missed"  # a run was left out, refused or late, not long ago
    SCHEDULE_OVERDUE = "schedule_overdue"  # its time has passed, and nobody fires it


@dataclass(frozen=True, kw_only=True)
class Alert:
    """`object` is what it is about, as `schedule:ID`; `degrades`: jobs are held up by it now."""

    kind: AlertKind
    detail: str
    object: str
    since: datetime

    @property
    def degrades(self) -> bool:
        return self.kind is AlertKind.SCHEDULE_OVERDUE

    @property
    def object_id(self) -> str:
        return self.object.partition(":")[2]


def alerts_of(whose: Whose) -> Sequence[Alert]:
    """What holds up jobs first. Twenty of each kind at the most."""
    late = [_overdue(one) for one in overdue(whose.tenant, whose.owner)]
    return late + [_missed(one) for one in missed_lately(whose.tenant, whose.owner)]


def _overdue(one: Overdue) -> Alert:
    return Alert(
        kind=AlertKind.SCHEDULE_OVERDUE,
        detail=f"The time of “{one.name}” has passed, and nobody fires it.",
        object=_object(one.schedule_id),
        since=one.since,
    )


def _missed(one: Missed) -> Alert:
    runs = "1 run" if one.runs == 1 else f"{one.runs} runs"
    return Alert(
        kind=AlertKind.SCHEDULE_MISSED,
        detail=f"{runs} of “{one.name}” not in time: {', '.join(_parts(one))}.",
        object=_object(one.schedule_id),
        since=one.since,
    )


def _parts(one: Missed) -> Iterator[str]:
    counts = ((one.left_out, "left out"), (one.refused, "refused"), (one.late, "late"))
    for number, word in counts:
        if number:
            yield f"{number} {word}"


def _object(schedule_id: UUID) -> str:
    return f"schedule:{schedule_id}"
