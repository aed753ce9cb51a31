"""A stretch of a file, read as a file of its own."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, cast

from django.core.files.base import File

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Stretch(io.RawIOBase):
    """`size` bytes of `file` from `start` on; what is copied out of it is never held whole."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def as_file(self) -> File[bytes]:
        """As Django's storages take it."""
        return File(cast("IO[bytes]", self))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        self._file.seek(self._start + self._at)
        data = self._file.read(min(len(view), max(0, self._size - self._at)))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
