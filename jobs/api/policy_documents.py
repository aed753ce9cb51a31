"""What the calls about pauses answer, for the published schema."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from jobs.models import PauseKind


class PauseDocument(BaseModel):
    """Jobs are held back: of `target`, a queue, a job type, a tenant or a limit key of `tenant`.

    `in_force`: until `until`, or without one until somebody ends it. `created_by` and `ended_by`
    are null for whoever is no platform admin.
    """

    id: UUID
    kind: PauseKind
    target: str
    tenant: str | None
    reason: str
    until: datetime | None
    in_force: bool
    created_at: datetime
    created_by: str | None
    ended_at: datetime | None
    ended_by: str | None


class PausePage(BaseModel):
    items: list[PauseDocument]
    next_cursor: str | None
