"""Two dispatchers, of which one leads, whatever happens to the other."""

from __future__ import annotations

import signal
from typing import Any

from django.db.models import Q

from jobs.dispatcher.loop import LEADER_LEASE_SECONDS
from jobs.models import Job
from jobs.states import Status
from tests.support.arena import SLOTS, Arena, leader_pid
from tests.support.ledger import Ledger
from tests.support.waiting import wait_for

# Longer than what is ever sent ahead, so the window is exactly the slots.
LONG, NUMBER = 0.5, 40
LONGER: dict[str, Any] = {"LEASE_SECONDS": "30"}  # no attempt may be lost to a busy machine
OCCUPYING = Q(status=Status.PROCESSING) | Q(dispatched_at__isnull=False)


def test_g4_a_leader_that_was_frozen_past_its_term_never_acts_beside_its_successor(
    arena: Arena,
) -> None:
    """More jobs on their way than there are slots would be the trace of two that act."""
    dispatchers = [arena.dispatcher(f"dispatcher-{n}", **LONGER) for n in (1, 2)]
    arena.worker(**LONGER)
    accepted = [arena.enqueue("testing.work", seconds=LONG).pk for _ in range(NUMBER)]
    wait_for(lambda: arena.running() and leader_pid(), seconds=60, what="jobs run")
    (old,) = (one for one in dispatchers if one.pid == leader_pid())
    most = 0

    def another_leads() -> bool:
        nonlocal most
        most = max(most, Job.objects.filter(OCCUPYING).count())
        return leader_pid() not in (None, old.pid)

    def all_done() -> bool:
        nonlocal most
        most = max(most, Job.objects.filter(OCCUPYING).count())
        return not Job.objects.active().exists()

    old.send(signal.SIGSTOP)
    wait_for(another_leads, seconds=LEADER_LEASE_SECONDS + 5, what="the other leads", every=0.02)
    left = Job.objects.active().count()
    old.send(signal.SIGCONT)
    wait_for(all_done, seconds=60, what="every job has ended", every=0.02)

    assert left > NUMBER / 4, "hardly anything was left to do for both"
    assert 0 < most <= SLOTS
    Ledger(accepted=accepted, trace=arena.trace, faults=0).check()
