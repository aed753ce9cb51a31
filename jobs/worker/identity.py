"""Who a worker is: its name, this incarnation of it, and the terms of its leases."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from uuid import UUID

from django.db import DatabaseError, InterfaceError
from django.db.models import F

from accounts.ids import new_id
from jobs.models import Worker


@dataclass(frozen=True, kw_only=True)
class WorkerIdentity:
    name: str
    lease_seconds: float
    incarnation: UUID = field(default_factory=new_id)

    @property
    def lease_margin(self) -> float:
        """Job code ends this long before its lease does, when that cannot be renewed."""
        return min(5.0, self.lease_seconds / 6)

    def count_refused_write(self) -> None:
        """Best effort: the refusal itself is what matters."""
        try:
            Worker.objects.filter(pk=self.name).update(refused_writes=F("refused_writes") + 1)
        except (DatabaseError, InterfaceError):
            return


class Counter:
    """Counts in one thread, is emptied in another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def add(self) -> None:
        with self._lock:
            self._count += 1

    def take(self) -> int:
        with self._lock:
            count, self._count = self._count, 0
        return count
