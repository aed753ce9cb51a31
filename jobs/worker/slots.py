"""Memory that a worker's main process and its children share: what runs in each child, until when.

It is made before the children are forked. A child writes what it runs; the main writes deadlines
and requests. Every request names the run it is meant for, so that a request that arrives late
cannot hit the job that came after. (In a pool of threads, each thread is such a child.)
"""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from jobs.message import FencedJob

# Every field is 8 bytes wide and aligned, so that it is read and written whole.
_NUMBER, _TIME, _ID = struct.Struct("q"), struct.Struct("d"), struct.Struct("16s")
_RUN, _PID, _FENCE, _DEADLINE, _CANCEL, _TERMINATE, _EXPIRED, _LOST, _WRITING, _TAKEN, _JOB = range(
    0, 88, 8
)
_SIZE = 96


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """An attempt that runs in a child at this moment."""

    index: int
    run: int  # odd; counts the starts and ends in this slot
    pid: int
    job: FencedJob


class Slots:
    """A fixed number of slots, one for each child that can exist at once."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._memory = mmap.mmap(-1, _SIZE * count)

    def slot(self, index: int) -> Slot:
        return Slot(self, index)

    def running(self) -> Iterator[Running]:
        """The attempts that run now. A slot that changes while it is read is left out."""
        for index in range(self.count):
            run = self.get(index, _RUN)
            if run % 2 == 0:
                continue
            job = FencedJob(self.job_id(index), self.get(index, _FENCE))
            pid = self.get(index, _PID)
            if self.get(index, _RUN) == run:
                yield Running(index=index, run=run, pid=pid, job=job)

    def handling(self) -> list[int]:
        """The processes that handle a message, whatever it is: also one that is no job, and one
        whose job is not claimed yet. A process that died meanwhile may be among them."""
        pids = (self.get(index, _TAKEN) for index in range(self.count))
        return [pid for pid in pids if pid]

    def find(self, job: FencedJob) -> Running | None:
        return next((running for running in self.running() if running.job == job), None)

    def overdue(self, moment: float) -> list[Running]:
        """The attempts whose deadline had passed at that moment."""
        return [run for run in self.running() if moment > self.deadline(run.index)]

    def extend(self, running: Running, deadline: float) -> bool:
        """A new deadline, in seconds of the monotonic clock (one for all processes of a host);
        False if the run is over already."""
        if self.get(running.index, _RUN) != running.run:
            return False
        _TIME.pack_into(self._memory, running.index * _SIZE + _DEADLINE, deadline)
        return True

    def ask_to_cancel(self, running: Running) -> None:
        self.set(running.index, _CANCEL, running.run)

    def ask_to_terminate(self, running: Running) -> bool:
        """Say that the signal that follows means this run; False if it is over already."""
        return self._ask(running, _TERMINATE)

    def note_lost(self, running: Running) -> bool:
        """Say that this run has lost its job; False if it is over already."""
        return self._ask(running, _LOST)

    def _ask(self, running: Running, field: int) -> bool:
        if self.get(running.index, _RUN) != running.run:
            return False
        self.set(running.index, field, running.run)
        return True

    def expired(self, running: Running) -> bool:
        """Whether the child's own watchdog ended this run: its lease could not be renewed."""
        return self.get(running.index, _EXPIRED) == running.run

    def is_writing(self, running: Running) -> bool:
        """Whether its code has ended, and its outcome is being written or was."""
        return self.get(running.index, _WRITING) == running.run

    def clear(self, running: Running) -> None:
        """The child of this run is dead; its slot is free."""
        if self.get(running.index, _RUN) == running.run:
            self.set(running.index, _RUN, running.run + 1)

    def get(self, index: int, field: int) -> int:
        value: int = _NUMBER.unpack_from(self._memory, index * _SIZE + field)[0]
        return value

    def set(self, index: int, field: int, value: int) -> None:
        _NUMBER.pack_into(self._memory, index * _SIZE + field, value)

    def deadline(self, index: int) -> float:
        value: float = _TIME.unpack_from(self._memory, index * _SIZE + _DEADLINE)[0]
        return value

    def job_id(self, index: int) -> UUID:
        return UUID(bytes=_ID.unpack_from(self._memory, index * _SIZE + _JOB)[0])

    def write_start(self, index: int, *, pid: int, job: FencedJob, deadline: float) -> int:
        """Describe a run, then make it visible by its odd number. Returns that number."""
        run = self.get(index, _RUN) // 2 * 2 + 1
        if self.get(index, _RUN) == run:  # a child died in this slot without a word
            self.set(index, _RUN, run + 1)  # even, so that nobody reads half of what follows
            run += 2
        self.set(index, _PID, pid)
        self.set(index, _FENCE, job.fence)
        _ID.pack_into(self._memory, index * _SIZE + _JOB, job.id.bytes)
        _TIME.pack_into(self._memory, index * _SIZE + _DEADLINE, deadline)
        self.set(index, _RUN, run)
        return run

    def write_end(self, index: int, run: int) -> None:
        self.set(index, _TERMINATE, 0)
        self.set(index, _RUN, run + 1)

    def write_handling(self, index: int, pid: int) -> None:
        """The process that handles a message, or 0."""
        self.set(index, _TAKEN, pid)

    def write_writing(self, index: int, run: int) -> None:
        self.set(index, _WRITING, run)

    def write_expired(self, index: int, run: int) -> None:
        self.set(index, _EXPIRED, run)


class Slot:
    """A child's own slot."""

    def __init__(self, slots: Slots, index: int) -> None:
        self._slots = slots
        self._index = index
        self._run = 0

    def take_message(self, pid: int) -> None:
        self._slots.write_handling(self._index, pid)

    def end_message(self) -> None:
        self._slots.write_handling(self._index, 0)

    def start(self, *, pid: int, job: FencedJob, deadline: float) -> None:
        self._run = self._slots.write_start(self._index, pid=pid, job=job, deadline=deadline)

    def begin_writing(self) -> None:
        """Before the outcome can be in the row."""
        self._slots.write_writing(self._index, self._run)

    def end(self) -> None:
        self._slots.write_end(self._index, self._run)
        self._run = 0

    @property
    def busy(self) -> bool:
        return self._run != 0

    @property
    def deadline(self) -> float:
        return self._slots.deadline(self._index)

    @property
    def is_past_deadline(self) -> bool:
        return self.busy and time.monotonic() > self.deadline

    @property
    def cancel_requested(self) -> bool:
        return self.busy and self._slots.get(self._index, _CANCEL) == self._run

    @property
    def termination_requested(self) -> bool:
        return self.busy and self._slots.get(self._index, _TERMINATE) == self._run

    @property
    def is_lost(self) -> bool:
        return self.busy and self._slots.get(self._index, _LOST) == self._run

    def note_expired(self) -> None:
        self._slots.write_expired(self._index, self._run)
