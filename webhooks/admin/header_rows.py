"""Headers in the form: a row of name and value each. A stored value is shown as `***`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.http import QueryDict

from jobs.exceptions import pointer
from jobs.secret import MASK
from webhooks.definition import MOST_HEADERS

NAMES, VALUES = "header_name", "header_value"
_SPARE = 2  # empty rows, for those without JavaScript
_MOST = 2 * MOST_HEADERS  # rows that are read


@dataclass(kw_only=True)
class HeaderRow:
    """`errors` are what is wrong with it."""

    name: str = ""
    value: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not self.name and not self.value


def stored_rows(headers: Mapping[str, str]) -> list[HeaderRow]:
    return [HeaderRow(name=name, value=MASK) for name in sorted(headers)]


def posted_rows(data: QueryDict) -> list[HeaderRow]:
    """Those that say something. One whose name was emptied together with a stored value is gone."""
    names = [name.strip() for name in data.getlist(NAMES)[:_MOST]]
    values = [value.strip() for value in data.getlist(VALUES)[:_MOST]]
    rows = [HeaderRow(name=one, value=two) for one, two in zip(names, values, strict=False)]
    return [row for row in rows if not row.is_empty and (row.name or row.value != MASK)]


def spare_rows(rows: Sequence[HeaderRow]) -> list[HeaderRow]:
    return [HeaderRow() for _ in range(max(0, min(_SPARE, MOST_HEADERS - len(rows))))]


def mistakes(rows: Sequence[HeaderRow]) -> bool:
    """What a mapping of names to values could not say; noted in the rows."""
    times = Counter(row.name for row in rows)
    for row in rows:
        if not row.name:
            row.errors.append("has no name")
        elif times[row.name] > 1:
            row.errors.append("the same name twice")
    return any(row.errors for row in rows)


def note(rows: Sequence[HeaderRow], where: str, detail: str) -> bool:
    """Say it at the row that the pointer means; False where it means none."""
    meant = [row for row in rows if pointer("headers", row.name) == where]
    for row in meant:
        row.errors.append(detail)
    return bool(meant)
