"""Places in a tenant's stream, as watchers are told them: `id:` of each event. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

WHOLE = 999_999  # of an entry: every job that it names

_FORM = re.compile(r"([0-9]{1,15})-([0-9]{1,15})(?:\.([0-9]{1,5}))?", re.ASCII)


class Mark(NamedTuple):
    """Up to and with the job number `job` of an entry. Watchers keep the text as it is: their next
    stream goes on after it."""

    milliseconds: int
    sequence: int
    job: int = WHOLE

    def __str__(self) -> str:
        return self.entry if self.job == WHOLE else f"{self.entry}.{self.job}"

    @property
    def entry_of(self) -> tuple[int, int]:
        return self.milliseconds, self.sequence

    @property
    def entry(self) -> str:
        """The entry's id in Redis."""
        return f"{self.milliseconds}-{self.sequence}"


BEGINNING = Mark(0, 0)


def parsed(text: str) -> Mark | None:
    """None for what is no mark."""
    form = _FORM.fullmatch(text)
    if not form:
        return None
    return Mark(int(form[1]), int(form[2]), WHOLE if form[3] is None else int(form[3]))


def of_entry(entry_id: bytes | str) -> Mark:
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    milliseconds, _, sequence = text.partition("-")
    return Mark(int(milliseconds), int(sequence))
