"""A page of a list of rows, newest first: what a search or a filter finds, and how far it looked.

No index answers such a search; so it looks at the newest LOOK rows, and says where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from jobs.admin.ids import as_id

M = TypeVar("M", bound=Model)
PAGE = 50
LOOK = 10_000  # rows that a search or a filter looks at
MOST_CHOICES = 200  # in a filter
_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class Found(Generic[M]):
    """`further`: where to go on looking, where LOOK were looked at and there are more."""

    rows: Sequence[M]
    older: str = ""
    further: str = ""


def narrowed(rows: QuerySet[M], query: QueryDict) -> QuerySet[M]:
    """Those from where the page begins on, newest first, of the tenant that is chosen."""
    if before := as_id(query.get("before", "")):
        rows = rows.filter(pk__lt=before)
    if tenant := clean(query.get("tenant", "")):
        rows = rows.filter(tenant__slug=tenant)
    return rows.order_by("-pk")


def find(rows: QuerySet[M], condition: Q, *, shown: QuerySet[M]) -> Found[M]:
    """The first page of `rows`; with a condition, of the newest LOOK of them. `shown` are the same
    rows with all that the page shows."""
    if condition:
        shown = shown.filter(pk__in=rows.values("pk")[:LOOK]).filter(condition)
    found = list(shown[: PAGE + 1])
    if len(found) > PAGE:
        return Found(rows=found[:PAGE], older=str(found[PAGE - 1].pk))
    return Found(rows=found, further=_end_of_look(rows) if condition else "")


def _end_of_look(rows: QuerySet[M]) -> str:
    last = list(rows.values_list("pk", flat=True)[LOOK - 1 : LOOK + 1])
    return str(last[0]) if len(last) > 1 else ""


def clean(text: str) -> str:
    """What somebody typed, as it is looked for."""
    return text.strip()[:_LONGEST]


def kept(query: QueryDict, names: Sequence[str]) -> dict[str, str]:
    """The filters that are set, without the place in the list."""
    return {name: value for name in names if (value := query.get(name, ""))}


def ways(query: QueryDict, found: Found[M], filters: Mapping[str, str]) -> dict[str, str]:
    """Links to the pages around this one."""

    def link(before: str) -> str:
        return f"?{urlencode({**filters, 'before': before})}" if before else ""

    return {
        "older_url": link(found.older),
        "further_url": link(found.further),
        "newest_url": f"?{urlencode(filters)}" if query.get("before") else "",
    }
