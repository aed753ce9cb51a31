"""A document before anybody has looked into it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SourceDocument:
    """A file as somebody handed it in; `content_type` is what they said it is."""

    name: str
    content: bytes
    content_type: str | None = None
