"""The engine as a small model without a database: what each verb ought to do to a job.

It is told what is tried and says what has to come of it; the state machine compares that with the
rows. Time is two flags: a lease is live or over, a waiting job is due or not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

FINAL = {"completed", "failed", "cancelled"}
WAITING = {"blocked", "scheduled", "queued"}


def floor(priority: int) -> int:
    return max(floor for floor in (0, 30, 70, 90) if floor <= priority)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What decides which limits and pauses hold for a job."""

    queue: str
    type: str
    tenant: str
    key: str = ""  # its limit key


@dataclass(eq=False)
class Edge:
    """A dependency, and what becomes of who waits for it should it not complete."""

    on: Record
    on_failure: str
    settled: bool = False


@dataclass(eq=False)
class Record:
    status: str
    place: Place
    key: str = ""  # its unique key
    seq: int = 0
    late: bool = False  # a dependant that has to wait for its time as well
    due: bool = False
    fence: int = 0
    sent: bool = False
    lease: bool | None = None  # None: no lease; True: live; False: over
    cancel_asked: bool = False
    priority: int = 50
    run: int = 1
    attempt: int = 0
    retries: int = 0
    crashes: int = 0
    discarded: bool = False
    result: int | None = None
    edges: list[Edge] = field(default_factory=list)
    history: list[tuple[int, str]] = field(default_factory=list)

    def is_same_work(self, other: Record) -> bool:
        where, its = self.place, other.place
        return bool(self.key) and (self.key, where.tenant, where.type) == (
            other.key, its.tenant, its.type,
        )  # fmt: skip

    def holds(self, fence: int) -> bool:
        return self.status == "processing" and self.fence == fence

    def claimable(self, fence: int) -> bool:
        return self.status == "queued" and self.sent and self.fence == fence and not self.lease

    def send(self) -> None:
        self.sent, self.fence = True, self.fence + 1

    def recall(self) -> None:
        self.sent, self.fence = False, self.fence + 1

    def begin(self) -> None:
        self.status, self.sent, self.lease = "processing", False, True
        self.attempt += 1

    def leave(self, target: str, outcome: str | None) -> None:
        """Out of processing by the attempt itself or by a rescue; the lease is given back."""
        if outcome or self.cancel_asked:
            self.history.append((self.fence, "cancelled" if self.cancel_asked else str(outcome)))
        self.lease = None
        self.move("cancelled" if self.cancel_asked else target)

    def boost(self, by: int) -> None:
        raised = min(100, self.priority + by)
        if self.sent and floor(raised) != floor(self.priority):
            self.recall()
        self.priority = raised

    def crash(self, limit: int) -> None:
        self.crashes += 1
        self.leave("failed" if self.crashes >= limit else "queued", "lost")

    def force(self, target: str) -> None:
        """Out of any active status by an operator; a live lease stays."""
        if self.status == "processing":
            self.history.append((self.fence, "cancelled" if self.cancel_asked else "lost"))
        self.move("cancelled" if self.cancel_asked else target)

    def cancel(self) -> None:
        self.cancel_asked = True
        if self.status != "processing":
            self.move("cancelled")

    def revive(self) -> None:
        self.run, self.retries, self.crashes = self.run + 1, 0, 0
        self.cancel_asked = self.discarded = False
        self.move("queued")

    def reblock(self) -> None:
        """Wait again, as a new run, for those dependencies that have not completed."""
        self.revive()
        self.status = "blocked"
        for edge in self.edges:
            edge.settled &= edge.on.status == "completed"

    def replace(self, *, later: bool = False) -> None:
        self.retries = self.crashes = 0
        ready = "scheduled" if later else "queued"
        self.move("blocked" if self.status == "blocked" else ready)

    def move(self, target: str) -> None:
        self.status, self.sent, self.due, self.fence = target, False, False, self.fence + 1


def settle(records: Iterable[Record]) -> None:
    """Take in every dependency that has ended, all at once: who has nothing more to wait for goes
    on; whose edge says so ends as well, and with it who waits for that one in turn."""
    open_edges = [(one, edge) for one in records for edge in one.edges if not edge.settled]
    reached = [
        (one, "run" if edge.on.status == "completed" else edge.on_failure)
        for one, edge in open_edges
        if edge.on.status in FINAL
    ]
    verdicts: dict[Record, set[str]] = {}
    for one, verdict in reached:  # grows
        known = verdicts.setdefault(one, set())
        if verdict not in known and verdict != "run" and one.status == "blocked":
            reached += [(next_, edge.on_failure) for next_, edge in open_edges if edge.on is one]
        known.add(verdict)
    blocked = [one for one in verdicts if one.status == "blocked"]
    for one in blocked:
        if verdicts[one] != {"run"}:
            one.move("failed" if "fail" in verdicts[one] else "cancelled")
    for _, edge in open_edges:
        edge.settled = edge.on.status in FINAL
    for one in blocked:
        if one.status == "blocked" and all(edge.settled for edge in one.edges):
            one.move("scheduled" if one.late else "queued")
