"""The processes that this one has started."""

from __future__ import annotations

import os
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
    """Kill all of them, and those that they have started."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
