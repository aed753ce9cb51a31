"""Which job types exist: name → type, filled by the `tasks` modules of the installed apps.

The platform's own are `internal`: for programs and people they do not exist, so whoever lists or
asks for types takes those that are `public`.
"""

from __future__ import annotations

from typing import Any

from jobs.exceptions import DeclarationError, UnknownJobType
from jobs.job_type import DEFAULT_QUEUE, JobType

AnyJobType = JobType[..., Any]

_types: dict[str, AnyJobType] = {}


def register(job_type: AnyJobType) -> None:
    """Make a type known. A name belongs to one function; a second one is a mistake."""
    known = _types.get(job_type.name)
    if known and known.origin != job_type.origin:
        raise DeclarationError(
            f"job type {job_type.name!r} is declared twice: {known.origin} and {job_type.origin}"
        )
    _types[job_type.name] = job_type


def get(name: str) -> AnyJobType:
    """Raises UnknownJobType."""
    try:
        return _types[name]
    except KeyError:
        raise unknown(name) from None


def get_public(name: str) -> AnyJobType:
    """A type that may be asked for. Raises UnknownJobType, also for one of the platform's own."""
    if is_internal(name):
        raise unknown(name)
    return get(name)


def unknown(name: str) -> UnknownJobType:
    return UnknownJobType(f"There is no job type {name!r}.", name=name)


def forget(name: str) -> None:
    """Undo a declaration; for tests that declare types of their own."""
    _types.pop(name, None)


def all() -> list[AnyJobType]:
    """Every type, by name."""
    return [_types[name] for name in sorted(_types)]


def public() -> list[AnyJobType]:
    """Every type that may be asked for, by name."""
    return [job_type for job_type in all() if not job_type.internal]


def is_internal(name: str) -> bool:
    """Whether jobs of this type are the platform's own."""
    known = _types.get(name)
    return known is not None and known.internal


def queues() -> set[str]:
    """The queues that the known types name."""
    return {job_type.queue for job_type in _types.values()}


def internal_queues() -> set[str]:
    """Those that only the platform's own types name."""
    return queues() - {job_type.queue for job_type in public()} - {DEFAULT_QUEUE}
