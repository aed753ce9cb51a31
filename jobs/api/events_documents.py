"""What a stream of events tells, for the published schema. `jobs.live` writes it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Json

from jobs.api.batches_documents import BatchDocument
from jobs.api.documents import JobDocument

EventName = Literal[
    "job.snapshot", "job.queued", "job.scheduled", "job.blocked", "job.started", "job.progress",
    "job.retrying", "job.completed", "job.failed", "job.cancelled", "job.updated", "job.position",
    "batch.completed", "stream.end",
]  # fmt: skip


def _without_payload_and_result(described: dict[str, Any]) -> None:
    for name in ("payload", "result"):
        del described["properties"][name]
        described["required"].remove(name)


class WatchedJobDocument(JobDocument):
    """A job as it stood when the event was told, without payload and result."""

    model_config = ConfigDict(json_schema_extra=_without_payload_and_result)


class StreamEndDocument(BaseModel):
    """The one watched job has ended; nothing follows."""

    job_id: UUID


class EventDocument(BaseModel):
    """`id` is a place in the stream. `gap`: something before it may have been missed."""

    event: EventName
    timestamp: datetime
    id: str
    data: WatchedJobDocument | BatchDocument | StreamEndDocument
    gap: Literal[True] | None = None


class SentEventDocument(BaseModel):
    """One server-sent event; the stream is any number of them."""

    id: str
    event: EventName
    data: Json[EventDocument]
