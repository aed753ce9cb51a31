"""Why an item of a batch was refused, as places in it."""

from __future__ import annotations

from jobs.exceptions import (
    FieldError,
    FieldErrors,
    InvalidPayload,
    JobsError,
    PayloadTooLarge,
    UnknownJobType,
    UnknownQueue,
)

_PLACES: dict[type[JobsError], str] = {
    UnknownJobType: "/type",
    UnknownQueue: "/queue",
    PayloadTooLarge: "/payload",
}


def broken_rules(error: JobsError, place: str = "") -> list[FieldError]:
    """What is wrong with the item that stands at `place` of a document."""
    if not isinstance(error, FieldErrors):
        return [FieldError(place + _PLACES.get(type(error), ""), str(error))]
    inside = "/payload" if isinstance(error, InvalidPayload) else ""
    return [FieldError(place + inside + one.pointer, one.detail) for one in error.errors]


def sentence(error: JobsError) -> str:
    return "; ".join(
        f"{one.pointer}: {one.detail}" if one.pointer else one.detail for one in broken_rules(error)
    )
