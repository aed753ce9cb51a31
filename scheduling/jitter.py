"""How long a run waits after its moment, so that not everything starts at once. Pure.

A hash of the schedule and the moment: the same wherever it is computed, and whenever.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID


def jitter(schedule_id: UUID, moment: datetime, *, most_seconds: int) -> timedelta:
    """From 0 to `most_seconds`, both included, in milliseconds."""
    if not most_seconds:
        return timedelta()
    named = schedule_id.bytes + int(moment.timestamp()).to_bytes(8, signed=True)
    number = int.from_bytes(blake2b(named, digest_size=8).digest())
    return timedelta(milliseconds=number % (most_seconds * 1000 + 1))
