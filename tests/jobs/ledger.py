"""The engine as a small model without a database: what each verb ought to do to a job.

It is told what is tried and says what has to come of it; the state machine compares that with the
rows. Time is two flags: a lease is live or over, a waiting job is due or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

FINAL = {"completed", "failed", "cancelled"}
WAITING = {"blocked", "scheduled", "queued"}


def _floor(priority: int) -> int:
    return max(floor for floor in (0, 30, 70, 90) if floor <= priority)


@dataclass
class Record:
    status: str
    key: str = ""
    behind: Record | None = None
    on_failure: str = "cancel"
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
    followers: list[Record] = field(default_factory=list)
    history: list[tuple[int, str]] = field(default_factory=list)

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
        if self.sent and _floor(raised) != _floor(self.priority):
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

    def move(self, target: str) -> None:
        self.status, self.sent, self.due, self.fence = target, False, False, self.fence + 1
        if target in FINAL:
            followers, self.followers = self.followers, []
            for follower in followers:
                follower.open_after(self)

    def open_after(self, ended: Record) -> None:
        self.behind = None
        if self.status == "blocked":
            verdict = "run" if ended.status == "completed" else self.on_failure
            waits = "scheduled" if self.late else "queued"
            self.move({"run": waits, "fail": "failed", "cancel": "cancelled"}[verdict])
