"""What other apps show of a job, on its page: jobs themselves know of none of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.models import Job


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A part of the page: its template, which finds `shown` as `part`."""

    template: str
    shown: Mapping[str, Any]


Part = Callable[[Job, datetime], Beside | None]
_parts: list[Part] = []


def register(part: Part) -> None:
    """It is asked for every page, and says None where there is nothing to show."""
    if part not in _parts:
        _parts.append(part)


def beside(job: Job, now: datetime) -> Sequence[Beside]:
    """Whoever may see the job may see all of it."""
    return [found for part in _parts if (found := part(job, now)) is not None]
