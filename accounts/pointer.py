"""Places in a JSON document."""

from __future__ import annotations


def pointer(*parts: str | int) -> str:
    """A JSON pointer (RFC 6901) to a place in a document."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
