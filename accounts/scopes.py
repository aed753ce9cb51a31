"""What a token may do inside its tenant, as data."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class Scope(StrEnum):
    """One permission. `ADMIN` holds every other one."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    SCHEDULES_READ = "schedules:read"
    SCHEDULES_WRITE = "schedules:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    QUEUES_READ = "queues:read"
    WORKERS_READ = "workers:read"
    AUDIT_READ = "audit:read"
    ADMIN = "admin"


EVERY_SCOPE = frozenset(Scope)


def expand(granted: Collection[str]) -> frozenset[Scope]:
    """The scopes that `granted` amounts to. Raises ValueError for a word that is no scope."""
    scopes = frozenset(Scope(word) for word in granted)
    return EVERY_SCOPE if Scope.ADMIN in scopes else scopes
