"""Public ids: UUIDs of version 7, which sort by the time they were made."""

from datetime import UTC, datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


def first_id_of(moment: datetime) -> UUID:
    """No id made at `moment` or later sorts before this one, and each made earlier does. Before
    1970 there are none."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def moment_of(known: UUID) -> datetime:
    """When an id was made, to the millisecond."""
    return datetime.fromtimestamp((known.int >> 80) / 1000, UTC)
