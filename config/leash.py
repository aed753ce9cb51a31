"""Processes that do not outlive the one that started them.

Linux only (`prctl(2)`, PR_SET_PDEATHSIG); elsewhere a no-op, and the recorded process ids are what
the next start goes by.
"""

import ctypes
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1


def end_with_parent(stop_signal: signal.Signals) -> Callable[[], None]:
    """A function for the new child to call: it then gets `stop_signal` when its parent ends.

    The promise survives an exec, but not a later change of user, so call it after that. It is bound
    to the thread that started the child, which must therefore be one that stays.
    """
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(
        None, use_errno=True
    ).prctl  # looked up here: after a fork it could deadlock

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, int(stop_signal))

    return ask
