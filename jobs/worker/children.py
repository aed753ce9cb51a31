"""The processes that this one has started."""

from __future__ import annotations

import os
import time
from contextlib import suppress

import psutil


def is_child(pid: int) -> bool:
    """Whether this is a process of our own that still runs. A number that the system has given
    away again is none, and neither is a child that is dead and not yet collected."""
    try:
        process = psutil.Process(pid)
        return process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_children() -> None:
    """Kill all of them, and those that they have started; one that is another user's lives on."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()


def all_ended(within_seconds: float) -> bool:
    """Whether none of them runs any more, or will have come to its end by then."""
    deadline = time.monotonic() + within_seconds
    while any(is_child(child.pid) for child in psutil.Process().children()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
