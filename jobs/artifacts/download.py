"""A file on its way out, told apart from the request that asked for it.

A view that sent the bytes itself would hold one of the few threads for as long as a slow client
takes. So it answers with the headers alone, and offers the open file to the web process, which
sends it after the thread has been given back (`config.api.downloads`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

OFFER = "celeriac.download"  # under this key the scope of a request carries an `Offer`
CHUNK = 64 * 1024


@dataclass(kw_only=True)
class Part:
    """`left` bytes of a file from where it stands; `read` until it gives none."""

    file: IO[bytes]
    left: int

    def read(self) -> bytes:
        data = self.file.read(min(CHUNK, self.left))
        self.left -= len(data)
        return data

    def __iter__(self) -> Iterator[bytes]:
        """For servers without a web process of ours, a test's for one."""
        return iter(self.read, b"")

    def close(self) -> None:
        self.file.close()


@dataclass
class Offer:
    """Filled by a view that wants a file sent after its headers."""

    part: Part | None = field(default=None)
