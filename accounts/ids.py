"""Public ids: UUIDs of version 7, which sort by the time they were made."""

from datetime import datetime
from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    return UUID(bytes=uuid_utils.uuid7().bytes)


def first_id_of(moment: datetime) -> UUID:
    """No id made at `moment` or later sorts before this one, and each made earlier does."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
