"""Events as they are sent. Each is put into words once, however many watch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.api.moment import shown
from jobs.live.entries import ENDINGS, SNAPSHOT, STREAM_END
from jobs.live.marks import Mark
from jobs.live.rows import Row

_ENDS = frozenset(ENDINGS.values())


class Event:
    """`row` is the job as it was when the event was told; it may be further than the name says.
    An `extra` event stands in no stream: it is told wherever the stream is."""

    __slots__ = ("_words", "at", "data", "extra", "gap", "mark", "name", "row")

    def __init__(
        self,
        name: str,
        mark: Mark,
        at: datetime,
        row: Row | None,
        *,
        data: Mapping[str, Any] | None = None,
        gap: bool = False,
        extra: bool = False,
    ) -> None:
        self.name = name
        self.mark = mark
        self.at = at
        self.row = row
        self.data = data if row is None else row.shown
        self.gap = gap
        self.extra = extra
        self._words: dict[tuple[bool, bool], bytes] = {}

    @property
    def ends(self) -> UUID | None:
        """The job of which it is the end."""
        if self.row is None:
            return None
        over = self.name in _ENDS or (self.name == SNAPSHOT and self.row.is_final)
        return self.row.id if over else None

    def text(self, *, admin: bool) -> bytes:
        """The object as JSON. Tracebacks are for the scope `admin` only."""
        return self._said(admin, framed=False)

    def frame(self, *, admin: bool) -> bytes:
        """The same as server-sent event."""
        return self._said(admin, framed=True)

    def _said(self, admin: bool, *, framed: bool) -> bytes:
        words = self._words.get((admin, framed))
        if words is None:
            words = self._framed(admin) if framed else json.dumps(self._object(admin)).encode()
            self._words[admin, framed] = words
        return words

    def _framed(self, admin: bool) -> bytes:
        head = f"id: {self.mark}\nevent: {self.name}\ndata: ".encode()
        return b"%b%b\n\n" % (head, self.text(admin=admin))

    def _object(self, admin: bool) -> dict[str, Any]:
        told: dict[str, Any] = {
            "event": self.name,
            "timestamp": shown(self.at),
            "id": str(self.mark),
            "data": self.data if admin else _without_traceback(self.data),
        }
        return {**told, "gap": True} if self.gap else told


def end_of(job_id: UUID, mark: Mark, at: datetime) -> Event:
    return Event(STREAM_END, mark, at, None, data={"job_id": str(job_id)})


def _without_traceback(data: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    error = (data or {}).get("error")
    if data is None or not error or "traceback" not in error:
        return data
    return {**data, "error": {key: value for key, value in error.items() if key != "traceback"}}
