"""What stands in the path of a request."""

from __future__ import annotations

from uuid import UUID

from rest_framework.exceptions import NotFound


def as_id(text: UUID | str) -> UUID:
    """An id from a path. Raises NotFound where it is none."""
    if isinstance(text, UUID):
        return text
    try:
        if len(text) == 36:  # UUID() also takes braces, urn: and no hyphens
            return UUID(text)
    except ValueError:
        pass
    raise NotFound
