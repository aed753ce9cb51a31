"""What is known of bytes that lie in the storage, before a row names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Stored:
    storage_name: str
    name: str
    content_type: str
    size: int
    sha256: str
