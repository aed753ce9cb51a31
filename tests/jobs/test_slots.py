"""The memory that a worker's main process shares with its children."""

from __future__ import annotations

import os
import sys
import threading
import time
from uuid import UUID

from jobs.message import FencedJob
from jobs.worker.slots import Running, Slots

FIRST, SECOND = FencedJob(UUID(int=1), 3), FencedJob(UUID(int=2), 5)


def start(slots: Slots, job: FencedJob = FIRST, *, index: int = 0, pid: int = 11) -> Running:
    slots.slot(index).start(pid=pid, job=job, deadline=time.monotonic() + 60)
    (running,) = [run for run in slots.running() if run.index == index]
    return running


def test_a_fresh_slot_is_idle() -> None:
    slots = Slots(3)

    assert list(slots.running()) == []
    slot = slots.slot(0)
    assert (slot.busy, slot.cancel_requested, slot.termination_requested) == (False,) * 3
    assert not slot.is_past_deadline


def test_what_a_child_runs_is_seen_by_the_main() -> None:
    slots = Slots(3)

    running = start(slots, index=2, pid=77)

    assert (running.index, running.pid, running.job) == (2, 77, FIRST)
    assert running.run % 2 == 1
    assert slots.find(FIRST) == running
    assert slots.find(SECOND) is None


def test_after_the_end_nothing_runs() -> None:
    slots = Slots(1)
    slot = slots.slot(0)
    slot.start(pid=1, job=FIRST, deadline=0.0)
    slot.end()

    assert not slot.busy
    assert list(slots.running()) == []


def test_each_run_has_a_number_of_its_own() -> None:
    slots = Slots(1)
    slot, seen = slots.slot(0), []
    for _ in range(5):
        slot.start(pid=1, job=FIRST, deadline=0.0)
        seen += [run.run for run in slots.running()]
        slot.end()

    assert seen == sorted(set(seen))
    assert len(seen) == 5


def test_a_request_reaches_the_run_it_is_meant_for() -> None:
    slots = Slots(2)
    slot, neighbour = slots.slot(0), slots.slot(1)
    slot.start(pid=1, job=FIRST, deadline=0.0)
    neighbour.start(pid=2, job=SECOND, deadline=0.0)
    running = slots.find(FIRST)
    assert running is not None

    slots.ask_to_cancel(running)
    assert slots.ask_to_terminate(running)

    assert (slot.cancel_requested, slot.termination_requested) == (True, True)
    assert (neighbour.cancel_requested, neighbour.termination_requested) == (False, False)


def test_a_request_that_comes_late_does_not_reach_the_next_run() -> None:
    slots = Slots(1)
    slot = slots.slot(0)
    slot.start(pid=1, job=FIRST, deadline=0.0)
    (old,) = slots.running()
    slot.end()
    slot.start(pid=1, job=SECOND, deadline=123.0)

    slots.ask_to_cancel(old)
    assert not slots.ask_to_terminate(old)
    slots.extend(old, 999.0)
    slots.clear(old)

    assert (slot.cancel_requested, slot.termination_requested) == (False, False)
    assert slot.deadline == 123.0
    assert slots.find(SECOND) is not None


def test_a_request_made_during_a_run_ends_with_it() -> None:
    slots = Slots(1)
    slot = slots.slot(0)
    slot.start(pid=1, job=FIRST, deadline=0.0)
    (running,) = slots.running()
    slots.ask_to_cancel(running)
    slots.ask_to_terminate(running)
    slot.end()
    assert (slot.cancel_requested, slot.termination_requested) == (False, False)

    slot.start(pid=1, job=SECOND, deadline=0.0)

    assert (slot.cancel_requested, slot.termination_requested) == (False, False)


def test_the_deadline_passes_only_while_something_runs() -> None:
    slots = Slots(1)
    slot = slots.slot(0)
    slot.start(pid=1, job=FIRST, deadline=time.monotonic() - 1)
    (running,) = slots.running()
    seen = [slot.is_past_deadline]
    slots.extend(running, time.monotonic() + 60)
    seen.append(slot.is_past_deadline)
    slots.extend(running, 0.0)
    seen.append(slot.is_past_deadline)
    slot.end()
    seen.append(slot.is_past_deadline)

    assert seen == [True, False, True, False]


def test_a_run_that_its_watchdog_ended_is_told_from_the_next_one() -> None:
    slots = Slots(1)
    slot = slots.slot(0)
    slot.start(pid=1, job=FIRST, deadline=0.0)
    (dead,) = slots.running()
    slot.note_expired()
    assert slots.expired(dead)
    slots.clear(dead)

    successor = start(slots, SECOND)

    assert not slots.expired(successor)


def test_a_child_that_died_leaves_a_slot_that_its_successor_can_use() -> None:
    slots = Slots(1)
    dead = start(slots, FIRST, pid=11)  # it never ends its run

    successor = start(slots, SECOND, pid=12)

    assert successor.run > dead.run
    assert (successor.pid, successor.job) == (12, SECOND)
    slots.clear(dead)
    assert slots.find(SECOND) == successor


def test_a_forked_child_shares_the_memory() -> None:
    slots = Slots(1)
    child = os.fork()
    if child == 0:
        slots.slot(0).start(pid=os.getpid(), job=FIRST, deadline=0.0)
        os._exit(0)
    os.waitpid(child, 0)

    (running,) = slots.running()
    assert (running.pid, running.job) == (child, FIRST)


def test_a_reader_never_sees_half_of_one_run_and_half_of_another() -> None:
    slots, stop = Slots(1), threading.Event()

    def write() -> None:
        slot, number = slots.slot(0), 0
        while not stop.is_set():
            number += 1
            job = FencedJob(UUID(int=number), number)
            slot.start(pid=number, job=job, deadline=float(number))
            if number % 3:  # each third child dies without a word
                slot.end()

    writer = threading.Thread(target=write)
    interval, deadline = sys.getswitchinterval(), time.monotonic() + 20
    sys.setswitchinterval(1e-6)  # change over between any two steps of either
    seen: list[Running] = []
    writer.start()
    try:
        while len(seen) < 1000 and time.monotonic() < deadline:
            seen += slots.running()
    finally:
        stop.set()
        writer.join(timeout=10)
        sys.setswitchinterval(interval)

    assert len(seen) >= 1000
    assert all(run.job.id.int == run.job.fence == run.pid for run in seen)
