"""All programs' log files of one machine, as one log in the order of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path

from config.logs.entry import Entry, entry_of
from config.logs.file import LogFile

Wanted = Callable[[Entry], bool]


class LogDirectory:
    """What the programs of these names wrote, as far as it is wanted. Of no names means of all;
    `dispatcher` means each `dispatcher-…` too.

    A line without a time is taken for a part of the line before it in its file. Those that end a
    file, such as the traceback of a program that could not start, are as new as the file is.
    """

    def __init__(self, path: Path, names: Sequence[str], wanted: Wanted) -> None:
        self._path = path
        self._names = names
        self._wanted = wanted
        self._files = {log: LogFile(log) for log in self._logs()}

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def missing(self) -> list[str]:
        """Names of which there is no log."""
        found = [file.name for file in self._files.values()]
        return [name for name in self._names if not any(_is_of(log, name) for log in found)]

    def last(self, lines: int, *, with_begun: bool) -> list[Entry]:
        """The last lines of all; with those that their programs have only begun to write, or not.

        To be asked before `new`.
        """
        newest = [
            list(islice(filter(self._wanted, self._backwards(file, with_begun)), lines))[::-1]
            for file in self._files.values()
        ]
        return _in_order(newest)[-lines:] if lines else []

    def new(self) -> list[Entry]:
        """What was written since the last call, by programs that have begun since then too."""
        for log in self._logs():
            if log not in self._files:
                self._files[log] = LogFile(log, from_start=True)
        return _in_order([self._new_of(file) for file in self._files.values()])

    def _logs(self) -> list[Path]:
        logs = sorted(self._path.glob("*.log"))
        return [
            log for log in logs if not self._names or any(_is_of(log.stem, n) for n in self._names)
        ]

    def _backwards(self, file: LogFile, with_begun: bool) -> Iterator[Entry]:
        newest = [file.begun] if with_begun else []
        at, undated = None, list[Entry]()
        for entry in _entries(file, chain(newest, file.backwards())):
            if entry.at is None:
                undated.append(entry)
                continue
            own = file.changed_at if at is None else entry.at
            at = entry.at
            yield from (replace(one, at=own) for one in undated)
            undated.clear()
            yield entry
        own = file.changed_at if at is None else at  # nothing with a time stands before these
        yield from (replace(one, at=own) for one in undated)

    def _new_of(self, file: LogFile) -> list[Entry]:
        at, entries = time.time(), list[Entry]()
        for entry in _entries(file, file.new()):
            at = entry.at if entry.at is not None else at
            entries.append(replace(entry, at=at))
        return list(filter(self._wanted, entries))


def _entries(file: LogFile, lines: Iterable[bytes]) -> Iterator[Entry]:
    texts = (line.decode("utf-8", "replace").rstrip("\r") for line in lines)
    return (entry_of(file.name, text) for text in texts if text.strip())


def _in_order(files: Sequence[Sequence[Entry]]) -> list[Entry]:
    """A stable sort: lines of one file and one moment stay together."""
    return sorted((entry for file in files for entry in file), key=lambda entry: entry.at or 0.0)


def _is_of(log: str, name: str) -> bool:
    return log == name or log.startswith(f"{name}-")
