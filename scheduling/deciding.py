"""What becomes of the moments of a schedule that have come. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduling.policies import Decision, Misfire, Overlap

LEFT_OUT = "calendar"
OVERLAPS = "overlap"
REPLACED = "replaced"  # by a later one, before it was started
NOT_RUN_LATE = "misfire: skip"
RUN_LATER = "misfire: only the last is run"
OVER_LIMIT = "misfire: over the limit"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Of one schedule. `grace`: later than that was missed. `is_running`: a job has not ended."""

    overlap: Overlap
    misfire: Misfire
    misfire_limit: int
    grace: timedelta
    is_running: bool
    is_left_out: Callable[[datetime], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    moment: datetime
    decision: Decision
    late: timedelta
    reason: str = ""
    was_missed: bool = False  # its window passed, whatever became of it after that


def decide(moments: Sequence[datetime], rules: Rules, *, now: datetime) -> list[Decided]:
    """A decision for each moment, in their order, which is by time.

    1. What a calendar leaves out is skipped.
    2. Of what was missed, the misfire policy chooses. What is in time is no misfire.
    3. Of what would run, the overlap policy chooses.
    """
    reasons: dict[datetime, tuple[Decision, str]] = {}
    left = [moment for moment in moments if not rules.is_left_out(moment)]
    late = [moment for moment in left if now - moment > rules.grace]
    for moment in moments:
        reasons[moment] = (Decision.SKIPPED, LEFT_OUT)
    reasons.update(dict.fromkeys(left, (Decision.FIRED, "")))
    reasons.update(_misfired(late, rules, is_one_in_time=len(late) < len(left)))
    running = [moment for moment in left if reasons[moment][0] is Decision.FIRED]
    reasons.update(_overlapping(running, rules))
    missed = set(late)
    return [
        Decided(
            moment=moment,
            decision=reasons[moment][0],
            reason=reasons[moment][1],
            late=max(timedelta(), now - moment),
            was_missed=moment in missed,
        )
        for moment in moments
    ]


def _misfired(
    late: Sequence[datetime], rules: Rules, *, is_one_in_time: bool
) -> dict[datetime, tuple[Decision, str]]:
    """Those of the late ones that are not run."""
    match rules.misfire:
        case Misfire.SKIP:
            return dict.fromkeys(late, (Decision.MISSED, NOT_RUN_LATE))
        case Misfire.RUN_ONCE:  # one that is in time is that run
            others = late if is_one_in_time else late[:-1]
            return dict.fromkeys(others, (Decision.MISSED, RUN_LATER))
    return dict.fromkeys(late[: -rules.misfire_limit], (Decision.MISSED, OVER_LIMIT))


def _overlapping(running: Sequence[datetime], rules: Rules) -> dict[datetime, tuple[Decision, str]]:
    """Those that another run stands in the way of."""
    match rules.overlap:
        case Overlap.SKIP:
            others = running if rules.is_running else running[1:]
            return dict.fromkeys(others, (Decision.SKIPPED, OVERLAPS))
        case Overlap.REPLACE:
            return dict.fromkeys(running[:-1], (Decision.SKIPPED, REPLACED))
    return {}
