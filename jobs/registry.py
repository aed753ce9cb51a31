"""Which job types exist: name → type, filled by the `tasks` modules of the installed apps."""

from __future__ import annotations

from typing import Any

from jobs.exceptions import DeclarationError, UnknownJobType
from jobs.job_type import JobType

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
    try:
        return _types[name]
    except KeyError:
        raise UnknownJobType(f"There is no job type {name!r}.", name=name) from None


def forget(name: str) -> None:
    """Undo a declaration; for tests that declare types of their own."""
    _types.pop(name, None)


def all() -> list[AnyJobType]:
    """Every type, by name."""
    return [_types[name] for name in sorted(_types)]


def queues() -> set[str]:
    """The queues that the known types name."""
    return {job_type.queue for job_type in _types.values()}
