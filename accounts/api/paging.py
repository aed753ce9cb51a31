"""Pages by key: each goes on after the last item of the one before, however deep it lies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core import signing
from rest_framework.request import Request

from accounts.access import Access
from accounts.api.refusals import FieldRefusal, Unprocessable

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
PARAMETERS = frozenset({"limit", "cursor"})

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page as asked for. `after` is the key of the last item seen, None for the first page."""

    limit: int
    after: Any
    binding: str

    def answer(
        self,
        rows: Iterable[Row],
        *,
        key: Callable[[Row], Any],
        present: Callable[[Row], dict[str, Any]],
        seen_to: Any = None,
    ) -> dict[str, Any]:
        """`rows` are up to limit + 1 in order; one too many says that there is a next page.

        `seen_to`: the key at which the search for rows stopped, where it did before the end; then
        a page of fewer has a next one too.
        """
        return self.answer_together(
            rows, key=key, present=lambda some: [present(row) for row in some], seen_to=seen_to
        )

    def answer_together(
        self,
        rows: Iterable[Row],
        *,
        key: Callable[[Row], Any],
        present: Callable[[Sequence[Row]], list[dict[str, Any]]],
        seen_to: Any = None,
    ) -> dict[str, Any]:
        """The same, where the items are presented together."""
        found = list(rows)
        shown, more = found[: self.limit], len(found) > self.limit
        last = key(shown[-1]) if more else seen_to
        return {
            "items": present(shown),
            "next_cursor": None if last is None else _signer(self.binding).sign_object(last),
        }


def page_of(request: Request, access: Access) -> Page:
    """Raises Unprocessable for a limit out of range and for a cursor that was not made for this
    path, tenant, owner and these filters."""
    binding = _binding(request, access)
    cursor = request.query_params.get("cursor")
    return Page(
        limit=_limit(request.query_params.get("limit")),
        after=None if cursor is None else _opened(cursor, binding),
        binding=binding,
    )


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    if text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT:
        return int(text)
    raise Unprocessable([FieldRefusal("/limit", f"a whole number 1-{MAX_LIMIT}")])


def _binding(request: Request, access: Access) -> str:
    filters = sorted(
        (name, sorted(values))
        for name, values in request.query_params.lists()
        if name not in PARAMETERS
    )
    whose = access.tenant.pk if access.tenant else None
    return json.dumps([request.path, whose, access.principal.owner, filters])


def _signer(binding: str) -> signing.Signer:
    return signing.Signer(salt=f"accounts.api.paging:{binding}")


def _opened(cursor: str, binding: str) -> Any:
    try:
        return _signer(binding).unsign_object(cursor)
    except signing.BadSignature:
        raise Unprocessable([FieldRefusal("/cursor", "is not a cursor of this list")]) from None
