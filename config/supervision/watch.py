"""Notices programs that end by themselves, and which of them should be started again."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from config.supervision.supervisor import ProgramState

_WINDOW_SECONDS = 60.0
_KEEPS_ENDING = 3
_PAUSE_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A program that ended although it should run. `often`: again and again, within a minute."""

    program: str
    times: int
    often: bool


class Watch:
    """What was seen of the programs so far."""

    def __init__(self) -> None:
        self._started: dict[str, int] = {}
        self._ends: dict[str, deque[float]] = {}
        self._warned: dict[str, float] = {}
        self._given_up: dict[str, float] = {}

    def observe(self, states: Sequence[ProgramState], now: float) -> list[Notice]:
        """Compare with what was seen before; `now` is a monotonic clock in seconds.

        One end alone is worth a line. A program that keeps ending is worth a warning once a minute,
        instead of a line each time.
        """
        return [
            notice
            for state in states
            if self._ended(state) and (notice := self._notice(state.name, now))
        ]

    def to_start_again(self, states: Sequence[ProgramState], now: float) -> list[ProgramState]:
        """Programs that the supervisor gave up a while ago: nothing is given up for good here."""
        due = []
        for state in states:
            if state.state != "FATAL":
                self._given_up.pop(state.name, None)
            elif now - self._given_up.setdefault(state.name, now) >= _PAUSE_SECONDS:
                del self._given_up[state.name]
                due.append(state)
        return due

    def _ended(self, state: ProgramState) -> bool:
        before = self._started.get(state.name, 0)
        self._started[state.name] = state.started
        return before != 0 and state.started != before

    def _notice(self, program: str, now: float) -> Notice | None:
        ends = self._ends.setdefault(program, deque())
        ends.append(now)
        while ends[0] < now - _WINDOW_SECONDS:
            ends.popleft()
        if len(ends) < _KEEPS_ENDING:
            return Notice(program=program, times=len(ends), often=False)
        if now - self._warned.get(program, -_WINDOW_SECONDS) < _WINDOW_SECONDS:
            return None
        self._warned[program] = now
        return Notice(program=program, times=len(ends), often=True)
