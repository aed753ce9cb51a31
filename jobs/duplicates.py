"""What a second request with the same unique key means: the rules of its options. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from jobs.exceptions import FieldError

if TYPE_CHECKING:
    from jobs.options import JobOptions

MAX_SECONDS = 365 * 86_400
DEBOUNCE_TIMES = 10  # a debounced job waits at most so often its pause


class OnDuplicate(StrEnum):
    EXISTING = "existing"  # the job that is there stays as it is
    REPLACE = "replace"  # it takes what the new request says, while it waits


def mistakes_in(given: JobOptions, *, has_key: bool) -> list[FieldError]:
    """What is wrong with the options about duplicates."""
    errors = [
        FieldError(f"/{name}", f"must be above 0 and at most {MAX_SECONDS:,}")
        for name in ("unique_for_seconds", "debounce_seconds", "debounce_max_seconds")
        if (seconds := getattr(given, name)) is not None and not 0 < seconds <= MAX_SECONDS
    ]
    if given.on_duplicate not in set(OnDuplicate):
        errors.append(FieldError("/on_duplicate", f"one of {', '.join(OnDuplicate)}"))
    if not has_key:
        errors += [FieldError(f"/{name}", "needs a unique_key") for name in _named(given)]
    if given.depends_on and replaces(given):
        errors.append(FieldError("/depends_on", "cannot stand beside replace or debounce_seconds"))
    return errors + _mistaken_debounce(given)


def _named(given: JobOptions) -> list[str]:
    named = {
        "unique_for_seconds": given.unique_for_seconds is not None,
        "on_duplicate": given.on_duplicate == OnDuplicate.REPLACE,
        "debounce_seconds": given.debounce_seconds is not None,
    }
    return [name for name, is_named in named.items() if is_named]


def _mistaken_debounce(given: JobOptions) -> list[FieldError]:
    if given.debounce_seconds is None:
        alone = given.debounce_max_seconds is not None
        return [FieldError("/debounce_max_seconds", "needs debounce_seconds")] if alone else []
    if given.run_at or given.delay_seconds is not None:
        return [FieldError("/debounce_seconds", "cannot stand beside run_at or delay_seconds")]
    if (given.debounce_max_seconds or given.debounce_seconds) < given.debounce_seconds:
        return [FieldError("/debounce_max_seconds", "is less than debounce_seconds")]
    return []


def replaces(given: JobOptions) -> bool:
    return given.on_duplicate == OnDuplicate.REPLACE or given.debounce_seconds is not None


def start_of(given: JobOptions, wanted: datetime | None, first: datetime) -> datetime | None:
    """When the job that was first asked for at `first` starts after a request that wants `wanted`:
    a debounced one no later than its longest wait allows."""
    if wanted is None or given.debounce_seconds is None:
        return wanted
    longest = given.debounce_max_seconds or given.debounce_seconds * DEBOUNCE_TIMES
    return min(wanted, first + timedelta(seconds=longest))
