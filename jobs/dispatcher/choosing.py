"""What one tick sends: the ready jobs, as turns, limits, holds and the window allow.

Used inside the leader's transaction. It remembers from tick to tick what costs a look at the
database: the workers, the policy (anew at each change of its version), the tenants' weights.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from accounts.models import Tenant
from jobs import registry
from jobs.dispatcher import recall as recalling
from jobs.dispatcher import selection, usage, window
from jobs.dispatcher.aged import AgedBands
from jobs.dispatcher.every import Every
from jobs.dispatcher.fairness import Fairness
from jobs.dispatcher.leader import Held
from jobs.dispatcher.limits import NOTHING_USED, Ledger, Usage
from jobs.dispatcher.rates import Rates
from jobs.dispatcher.ready import Policy, Ready
from jobs.dispatcher.window import Books, Candidate, LiveWorker, Room
from jobs.effective import configured
from jobs.lifecycle import Dispatched
from jobs.policies import buckets, snapshot
from jobs.policies.buckets import Bucket, Place, keys_in
from jobs.policies.rules import Snapshot

WORKERS_SECONDS = 1.0  # they report themselves every two
POLICY_SECONDS = 2.0  # what has no version: tenants, plans


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The jobs to send, in order, and the priorities with which they are sent."""

    jobs: list[Candidate]

    @property
    def priorities(self) -> dict[UUID, int]:
        return {job.id: job.priority for job in self.jobs}

    @property
    def places(self) -> dict[UUID, Place]:
        return {job.id: job.place for job in self.jobs}


class Choosing:
    def __init__(self, expected: window.Expected) -> None:
        self._expected = expected
        self._ready = Ready()
        self._fairness = Fairness()
        self._rates = Rates()
        self._aged = AgedBands()
        self._snapshot = Snapshot()
        self._version: int | None = None
        self._workers: list[LiveWorker] = []
        self._weights: dict[int, int] = {}
        self._workers_at = Every(WORKERS_SECONDS)
        self._policy_at = Every(POLICY_SECONDS)

    @property
    def look_again_within(self) -> float:
        """Seconds after which another tick may find more."""
        return self._ready.look_again_within

    def forget(self) -> None:
        """A transaction may have failed, or another led meanwhile: read the policy anew."""
        self._version = None
        self._rates.forget()

    def choose(self, held: Held) -> Chosen:
        """What is to be sent now."""
        self._refresh(held)
        if not self._workers:
            return Chosen(jobs=[])
        load = selection.load()
        ledger = Ledger(self._snapshot, self._usage(held.now), held.now)
        rooms = window.rooms(self._workers, load, self._expected)
        books = Books(self._workers, load, self._expected)
        chosen, refused = self._offer(rooms, ledger, books, held.now)
        if refused:
            # Jobs that a limit stopped although there are slots may fill all that was read.
            taken = {job.id for job in chosen}
            behind, _ = self._offer(
                rooms, ledger, books, held.now, passing_over=refused, without=taken
            )
            chosen += behind
        return Chosen(jobs=chosen)

    def _offer(
        self,
        rooms: dict[str, Room],
        ledger: Ledger,
        books: Books,
        now: datetime,
        passing_over: Collection[Bucket] = (),
        without: Collection[UUID] = (),
    ) -> tuple[list[Candidate], set[Bucket]]:
        """Those of the ready jobs that go, and the limits that stopped others."""
        policy = self._policy(ledger, now, passing_over)
        found = self._ready.select(_open(rooms, ledger, passing_over), policy)
        candidates = [job for job in found if job.id not in without]
        self._learn_weights(candidates)
        refused: set[Bucket] = set()
        chosen = self._fairness.choose(
            candidates,
            lambda job: self._take(job, ledger, books, refused),
            queue_weights=self._snapshot.queue_weights,
            tenant_weights=self._weights,
        )
        return chosen, refused

    def book(self, sent: Iterable[Dispatched], chosen: Chosen) -> None:
        """Note the starts that rates count, in the transaction that marks them."""
        if self._snapshot.has_rates:
            self._rates.book(sent, self._snapshot, chosen.places)

    def recall(self, now: datetime) -> int:
        """Withdraw what was sent and no longer ought to be; in another thread than the ticks."""
        return recalling.recall(self._snapshot, now, self._effective(now), can_run=self._is_known)

    def _is_known(self, place: Place) -> bool:
        return any(
            place.queue in worker.queues and place.type in worker.types for worker in self._workers
        )

    def look_at_aged(self, now: datetime) -> None:
        """Find what has risen by waiting; in another thread than the ticks."""
        self._ready.aged = self._aged.look(configured(), now, self._effective(now))

    def _take(self, job: Candidate, ledger: Ledger, books: Books, refused: set[Bucket]) -> bool:
        def may_start(job: Candidate) -> bool:
            may = ledger.has_room(job.place)
            if not may:
                refused.update(ledger.refusing(job.place))
            return may

        taken = books.take(job, self._expected(job.type), may_start=may_start)
        if taken:
            ledger.book(job.place)
        return taken

    def _refresh(self, held: Held) -> None:
        if self._workers_at.is_due():
            self._workers = selection.live_workers()
        if self._policy_at.is_due() or held.policy_version != self._version:
            self._snapshot = snapshot.read()
            self._version = held.policy_version
            self._weights.clear()

    def _usage(self, now: datetime) -> Usage:
        if not self._snapshot.has_limits:
            return NOTHING_USED
        running, keys = usage.running()
        if not self._snapshot.has_rates:
            return Usage(running=running, keys=keys)
        self._rates.look(self._snapshot, now)
        return Usage(running=running, starts=self._rates.starts, keys=keys | self._rates.keys)

    def _policy(self, ledger: Ledger, now: datetime, passing_over: Collection[Bucket]) -> Policy:
        held = ledger.held_keys()
        held += [f"{tenant}:{key}" for tenant, key in keys_in(passing_over)]
        return Policy(
            barred_tenants=ledger.barred_tenants(),
            held_keys=held,
            barred_keys=ledger.barred_keys(),
            has_keys=bool(held) or any(kind.limit_key is not None for kind in registry.all()),
            effective=self._effective(now),
            aged_before=configured().begins_for(now),
        )

    def _effective(self, now: datetime) -> Callable[[Place, int, datetime], int]:
        rules, policy = configured(), self._snapshot
        begins = rules.begins_for(now)

        def effective(place: Place, priority: int, queued_at: datetime) -> int:
            if queued_at > begins:
                return priority
            waited = now - policy.ready_since(place, queued_at)
            return rules.effective(priority, waited.total_seconds())

        return effective

    def _learn_weights(self, candidates: Iterable[Candidate]) -> None:
        unknown = {job.tenant for job in candidates} - self._weights.keys()
        if unknown:
            for tenant in Tenant.everyone.filter(pk__in=unknown):
                self._weights[tenant.pk] = tenant.weight or tenant.plan.weight


def _open(
    rooms: dict[str, Room], ledger: Ledger, passing_over: Collection[Bucket]
) -> dict[str, Room]:
    """Without the queues and types that are full or held."""
    found = {}
    for queue, room in rooms.items():
        left = ledger.room_of(buckets.of_queue(queue))
        lowest = {
            job_type: level
            for job_type, level in room.lowest.items()
            if ledger.room_of(buckets.of_type(job_type)) != 0
            and buckets.of_type(job_type) not in passing_over
        }
        # Not only as many rows as the limit has room for: some of them may not go.
        if left != 0 and lowest:
            found[queue] = Room(most=room.most, lowest=lowest)
    return found
