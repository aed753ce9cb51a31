"""Pauses and limits that come and go, of two tenants, two queues and four types."""

from __future__ import annotations

from typing import Any

from accounts import tenants
from jobs.dispatcher.choosing import Choosing
from jobs.models import PauseKind, Queue, Worker
from jobs.policies import limiting, pausing
from tests.jobs.groups_machine import EVE, GroupsMachine
from tests.jobs.kinds import ECHO, QUEUE
from tests.jobs.making import INCARNATION, WORKER
from tests.jobs.policies_ledger import Bucket, Rules, key_of

NARROW, ONE_OF_KEY, TWO_OF_KEY = "tests.narrow", "tests.one_of_key", "tests.two_of_key"
TYPES = [ECHO, NARROW, ONE_OF_KEY, TWO_OF_KEY]
QUEUES = [QUEUE, "reports"]
TENANTS = ["acme", "zeta"]
AT_ONCE = {("type", NARROW): 2}
OF_KEYS = {ONE_OF_KEY: 1, TWO_OF_KEY: 2}
TARGETS: list[tuple[PauseKind, str, str]] = [  # kind, name, whose
    (PauseKind.QUEUE, QUEUE, ""),
    (PauseKind.QUEUE, "reports", ""),
    (PauseKind.TYPE, NARROW, ""),
    (PauseKind.TENANT, "acme", ""),
    (PauseKind.KEY, "a", "acme"),
]


class LimitsMachine(GroupsMachine):
    choosing: Choosing

    def __init__(self) -> None:
        super().__init__()
        self.policy = Rules(of_keys=OF_KEYS, slots=3, at_once=dict(AT_ONCE))
        Worker.objects.create(
            name=WORKER, incarnation=INCARNATION, queues=QUEUES, types=TYPES, slots=3
        )

    def the_worker_changes(self, slots: int) -> None:
        Worker.objects.update(slots=slots)
        self.policy.slots = slots

    def pause(self, target: tuple[PauseKind, str, str]) -> None:
        kind, name, owner = target
        pausing.pause(kind, name, EVE, tenant=self.tenants.get(owner))
        self.policy.held.add(_bucket(target))
        for record in self.records:
            if record.sent and self.policy.is_held(record.place):
                record.recall()

    def resume(self, target: tuple[PauseKind, str, str]) -> None:
        kind, name, owner = target
        ended = pausing.resume(kind, name, EVE, tenant=self.tenants.get(owner))
        assert len(ended) == (_bucket(target) in self.policy.held)
        self.policy.held.discard(_bucket(target))

    def limit_a_queue(self, queue: str, most: int | None) -> None:
        self._limit(queue, {"max_concurrency": most})
        _set(self.policy.at_once, ("queue", queue), most)

    def limit_starts(self, queue: str, most: int | None) -> None:
        self._limit(queue, {"rate_limit": f"{most}/h" if most else ""})
        self.policy.limit_starts(("queue", queue), most)

    def _limit(self, name: str, limits: dict[str, Any]) -> None:
        """A changed limit takes back what was sent."""
        before = Queue.objects.filter(pk=name).values(*limits).get()
        limiting.change(name, limits, EVE)
        if before != limits:
            for record in self.records:
                if record.sent and record.place.queue == name:
                    record.recall()

    def limit_a_tenant(self, name: str, most: int | None) -> None:
        tenants.change(
            self.tenants[name],
            name="",
            plan_name=self.tenants[name].plan_name,
            by="eve",
            limits={"max_running": most},
        )
        self.choosing.forget()  # so much time passes that tenants are read anew
        _set(self.policy.at_once, ("tenant", name), most)


def _bucket(target: tuple[PauseKind, str, str]) -> Bucket:
    kind, name, owner = target
    return key_of(owner, name) if kind == PauseKind.KEY else (kind.value, name)


def _set(limits: dict[Bucket, int], bucket: Bucket, most: int | None) -> None:
    limits.pop(bucket, None)
    if most is not None:
        limits[bucket] = most
