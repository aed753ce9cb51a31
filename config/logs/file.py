"""One program's log file, read back from its end and then as it grows.

The supervisor renames a full file to NAME.log.1, the one before to NAME.log.2, and goes on in a new
NAME.log. It cuts wherever it is full, so a line may begin in one file and end in the next.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO

_BLOCK = 64 * 1024


class LogFile:
    """Lines are bytes without their end. `begun` is one whose end is not written yet."""

    def __init__(self, path: Path, *, from_start: bool = False) -> None:
        self.name = path.stem
        self.begun = b""
        self._path = path
        self._file: BinaryIO = path.open("rb")
        self._read_to = 0
        if not from_start:
            self._read_to = self._file.seek(0, os.SEEK_END)
            self.begun = next(self._pieces())

    def close(self) -> None:
        self._file.close()

    @property
    def changed_at(self) -> float:
        """Seconds of the epoch."""
        return _status(self._file).st_mtime

    def backwards(self) -> Iterator[bytes]:
        """The lines that stood there already, the newest first; to be asked before `new`."""
        pieces = self._pieces()
        next(pieces)  # `begun`
        yield from pieces

    def new(self) -> list[bytes]:
        """The lines that were ended since the last call, over renamed and emptied files too."""
        newer = self._newer()  # looked for first: a renamed file does not grow any more
        text = self.begun + self._grown()
        for file in newer:
            self._file.close()
            self._file, self._read_to = file, 0
            text += self._grown()
        *lines, self.begun = text.split(b"\n")
        return lines

    def _grown(self) -> bytes:
        if _status(self._file).st_size < self._read_to:
            self._read_to = 0
        self._file.seek(self._read_to)
        text = self._file.read()
        self._read_to += len(text)
        return text

    def _newer(self) -> list[BinaryIO]:
        """Files begun after the one in hand, the oldest first."""
        newer: list[BinaryIO] = []
        for file in _newest_first(self._path):
            if self._is_in_hand(file):
                file.close()
                return newer[::-1]
            newer.append(file)
        for file in newer[1:]:  # ours was deleted: which of these were read nobody knows
            file.close()
        return newer[:1]

    def _pieces(self) -> Iterator[bytes]:
        """What stands between line ends, backwards."""
        first = b""
        for block in self._blocks():
            first, *others = (block + first).split(b"\n")
            yield from reversed(others)
        yield first

    def _blocks(self) -> Iterator[bytes]:
        yield from _blocks_before(self._read_to, self._file)
        older = False
        for file in _newest_first(self._path):
            with file:
                if older:
                    yield from _blocks_before(_status(file).st_size, file)
                older = older or self._is_in_hand(file)

    def _is_in_hand(self, file: BinaryIO) -> bool:
        return os.path.samestat(_status(file), _status(self._file))


def _newest_first(path: Path) -> Iterator[BinaryIO]:
    """NAME.log, NAME.log.1 and so on. The first may be missing at the moment of renaming."""
    for number in count():
        try:
            yield (path.with_name(f"{path.name}.{number}") if number else path).open("rb")
        except FileNotFoundError:
            if number:
                return


def _blocks_before(end: int, file: BinaryIO) -> Iterator[bytes]:
    while end:
        start = max(0, end - _BLOCK)
        file.seek(start)
        yield file.read(end - start)
        end = start


def _status(file: BinaryIO) -> os.stat_result:
    return os.fstat(file.fileno())
