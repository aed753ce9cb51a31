"""What a person asked the list of jobs for: its filters and its search box, understood."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from jobs import registry
from jobs.admin.search import Understood, understood
from jobs.priorities import Level
from jobs.states import WAITING, Status

DEAD = "dead"
ANY_WAITING = "waiting"
WITHIN = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
}
_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Empty fields ask for nothing. `before` is where the page before this one ended."""

    statuses: tuple[Status, ...] = ()
    dead: bool = False
    type: str = ""
    queue: str = ""
    level: Level | None = None
    tenant: str = ""
    owner: str = ""
    created_since: datetime | None = None
    search: Understood = field(default_factory=Understood)
    before: str = ""
    deep: bool = False

    @property
    def is_everything(self) -> bool:
        """Nothing narrows the list but, perhaps, the time."""
        return replace(self, created_since=None, before="", deep=False) == Wish()


def wish_of(query: Mapping[str, str], now: datetime) -> Wish:
    """A value that stands in no list of choices is left out, as the page then shows."""
    given = {name: _clean(query.get(name, "")) for name in _NAMES}
    search = understood(given["q"])
    within = WITHIN.get(given["created"])
    return Wish(
        statuses=_statuses(given["status"]),
        dead=given["status"] == DEAD,
        type=search.type or _known(given["type"], [kind.name for kind in registry.public()]),
        queue=given["queue"],
        level=Level(given["level"]) if given["level"] in list(Level) else None,
        tenant=given["tenant"],
        owner=search.owner or given["owner"],
        created_since=now - within if within else None,
        search=search,
        before=given["before"],
        deep=given["look"] == "deep",
    )


_NAMES = (
    "q", "status", "type", "queue", "level", "tenant", "owner", "created", "before", "look",
)  # fmt: skip


def _clean(text: str) -> str:
    """PostgreSQL keeps no NUL in a text."""
    return text.replace("\x00", "").strip()[:_LONGEST]


def _known(value: str, choices: list[str]) -> str:
    return value if value in choices else ""


def _statuses(value: str) -> tuple[Status, ...]:
    if value == ANY_WAITING:
        return tuple(sorted(WAITING))
    if value == DEAD:
        return (Status.FAILED,)
    return (Status(value),) if value in Status.values else ()


def id_floor(moment: datetime) -> UUID:
    """The least id (UUIDv7) that can have been made at `moment` or later."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=(milliseconds << 80) | (7 << 76) | (1 << 63))
