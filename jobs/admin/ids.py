"""Ids as they stand in an address or a form."""

from __future__ import annotations

from uuid import UUID


def as_id(text: str | UUID) -> UUID | None:
    """None where it is no id."""
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError:
        return None
