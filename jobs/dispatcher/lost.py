"""Which messages got lost. Pure: it is told what it sees, and when.

A message that was sent and not claimed is either still waiting its turn or gone (the broker was
wiped, a worker died with it). Comparing counts cannot tell the two apart; these two signs can:

1. a message sent later to the same list was claimed a while ago: the lists are first in, first out;
2. its list was empty, and was so again a while later, both after it was sent.

A sign that deceives does no harm: the message is withdrawn before another is sent, so whoever
receives the first one claims nothing with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from jobs.priorities import Level

PATIENCE_SECONDS = 3.0

Lane = tuple[str, Level]  # one list of the broker: queue and level


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A message on its way."""

    id: UUID
    fence: int
    queue: str
    type: str
    level: Level
    sent_at: datetime

    @property
    def lane(self) -> Lane:
        return (self.queue, self.level)


@dataclass
class _LaneMemory:
    departures: list[tuple[float, datetime]] = field(default_factory=list)  # (seen, sent_at)
    overtaken_before: datetime | None = None
    empty_since: float | None = None
    sent_before_empty: set[tuple[UUID, int]] = field(default_factory=set)


class LostMessages:
    """Watches the messages on their way; call `look` now and then, at least once a second."""

    def __init__(self) -> None:
        self._known: dict[tuple[UUID, int], Sent] = {}
        self._lanes: dict[Lane, _LaneMemory] = {}

    def look(
        self, on_their_way: Iterable[Sent], *, now: float, is_empty: Callable[[Lane], bool]
    ) -> list[Sent]:
        """The messages that are lost by now. `now` is in seconds of a monotonic clock; `is_empty`
        is asked only of lanes with a message that was there at the last look too."""
        present = {(sent.id, sent.fence): sent for sent in on_their_way}
        self._note_departures(present, now)
        self._note_empty_lanes(present, now, is_empty)
        self._known = present
        lost = [sent for sent in present.values() if self._is_lost(sent, now)]
        self._forget_judged(now)
        return lost

    def _note_departures(self, present: dict[tuple[UUID, int], Sent], now: float) -> None:
        for key, sent in self._known.items():
            if key not in present:
                self._memory(sent.lane).departures.append((now, sent.sent_at))
        for memory in self._lanes.values():
            ripe = [at for seen, at in memory.departures if now - seen >= PATIENCE_SECONDS]
            if ripe:
                memory.overtaken_before = max([*ripe, memory.overtaken_before or min(ripe)])
                memory.departures = [
                    entry for entry in memory.departures if now - entry[0] < PATIENCE_SECONDS
                ]

    def _note_empty_lanes(
        self,
        present: dict[tuple[UUID, int], Sent],
        now: float,
        is_empty: Callable[[Lane], bool],
    ) -> None:
        waiting: dict[Lane, set[tuple[UUID, int]]] = {}
        for key, sent in present.items():
            if key in self._known:  # sent before the last look, hence before this reading
                waiting.setdefault(sent.lane, set()).add(key)
        for lane, memory in list(self._lanes.items()):
            if lane not in waiting:
                memory.empty_since = None
        for lane, keys in waiting.items():
            memory = self._memory(lane)
            if not is_empty(lane):
                memory.empty_since = None
            elif memory.empty_since is None:
                memory.empty_since, memory.sent_before_empty = now, keys

    def _is_lost(self, sent: Sent, now: float) -> bool:
        memory = self._lanes.get(sent.lane)
        if memory is None:
            return False
        if memory.overtaken_before and sent.sent_at < memory.overtaken_before:
            return True
        return (
            memory.empty_since is not None
            and now - memory.empty_since >= PATIENCE_SECONDS
            and (sent.id, sent.fence) in memory.sent_before_empty
        )

    def _forget_judged(self, now: float) -> None:
        """Start the second sign anew, so that it also covers what was sent since."""
        for memory in self._lanes.values():
            if memory.empty_since is not None and now - memory.empty_since >= PATIENCE_SECONDS:
                memory.empty_since = None

    def _memory(self, lane: Lane) -> _LaneMemory:
        return self._lanes.setdefault(lane, _LaneMemory())
