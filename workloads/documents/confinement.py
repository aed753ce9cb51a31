"""A process that takes away its own rights before it reads what strangers wrote.

Memory, processor time, files and processes are limited by the kernel. On Linux the process ends
with its parent; elsewhere its alarm ends it soon after the parent would have.
"""

import ctypes
import os
import resource
import signal
import sys

from workloads.documents.limits import Limits

_PR_SET_PDEATHSIG = 1
_SLACK_SECONDS = 5


def confine(limits: Limits, *, parent: int) -> None:
    """Set the limits for good. Exits at once if `parent` has ended meanwhile."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(limits.wall_seconds) + _SLACK_SECONDS)
    _end_with(parent)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)  # no process, no thread; root is exempt
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_AS, limits.memory_bytes)
    # SIGXCPU at the first, which says why; SIGKILL a second later.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _end_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before the kernel was asked
        os._exit(1)
