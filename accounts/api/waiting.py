"""Who may wait long for the first request with an idempotency key.

Whoever waits occupies a thread of the web process, and threads are everybody's. So of one tenant
at most a quarter of them may do so at once.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from django.conf import settings

_lock = threading.Lock()
_taken: Counter[Hashable] = Counter()  # seats by tenant, of this process


@contextmanager
def seat(tenant: Hashable) -> Iterator[bool]:
    """Whether there was one; it is free again at the end."""
    taken = _take(tenant)
    try:
        yield taken
    finally:
        if taken:
            _give_back(tenant)


def _take(tenant: Hashable) -> bool:
    with _lock:
        may: bool = _taken[tenant] < max(1, settings.WEB_THREADS // 4)
        _taken[tenant] += may
        return may


def _give_back(tenant: Hashable) -> None:
    with _lock:
        _taken[tenant] -= 1
        if not _taken[tenant]:
            del _taken[tenant]
