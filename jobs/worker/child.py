"""A worker's child process: its slot, its gate, and the watchdog that ends it past its lease."""

from __future__ import annotations

import logging
import os
import signal
import threading
from dataclasses import dataclass
from typing import Any

from billiard import current_process
from celery import signals
from django.conf import settings

from jobs.worker.execution import Execution
from jobs.worker.gate import Gate
from jobs.worker.identity import WorkerIdentity
from jobs.worker.slots import Slot, Slots

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.25


@dataclass(frozen=True, kw_only=True)
class Child:
    execution: Execution
    gate: Gate


def start_child(identity: WorkerIdentity, slots: Slots) -> Child:
    """Set this process up to run jobs. Called once in each child, after the fork."""
    process: Any = current_process()  # billiard numbers the children of a pool
    slot = slots.slot(process.index % slots.count)
    threading.Thread(target=_watch, args=(slot,), name="watchdog", daemon=True).start()
    _tell_of_messages(slot)
    gate = Gate(slot)
    return Child(execution=Execution(identity, slot, gate), gate=gate)


def _tell_of_messages(slot: Slot) -> None:
    """A soft stop waits for them, jobs or not."""
    slot.end_message()  # the slot may have been another child's, which died

    def begins(**_: Any) -> None:
        slot.take_message(os.getpid())

    def ended(**_: Any) -> None:
        slot.end_message()

    signals.task_prerun.connect(begins, weak=False)
    signals.task_postrun.connect(ended, weak=False)


def _watch(slot: Slot) -> None:
    """End this process when job code runs past the lease: another attempt may begin.

    By SIGKILL, because code that would listen to anything gentler could as well be in the middle
    of what the other attempt does too. The main process renews the deadline; that it is stopped
    or cut off from the database is the very case this is for.
    """
    pause = threading.Event()
    period = min(LOOK_EVERY_SECONDS, settings.LEASE_SECONDS / 20)
    while not pause.wait(period):
        if slot.is_past_deadline:
            slot.note_expired()
            logger.error("the lease could not be renewed in time; ending this process")
            os.kill(os.getpid(), signal.SIGKILL)
