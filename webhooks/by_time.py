"""Deliveries of a span of time are found by their ids, which begin with the time and end every
index. A little too many: whoever asks looks at the rows' own time as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from accounts.ids import first_id_of

# Between the moment in an id and the row's time: a long transaction, clocks that differ.
_APART = timedelta(minutes=10)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC) + _APART
_LAST = datetime.max.replace(tzinfo=UTC) - _APART


def lowest_id(since: datetime) -> UUID:
    """No row of `since` or later has a lower one."""
    return first_id_of(max(since, _FIRST) - _APART)


def highest_id(until: datetime) -> UUID:
    """No row before `until` has a higher one."""
    return first_id_of(min(until, _LAST) + _APART)
