"""Where a command writes: for people on a terminal, plainly into a pipe."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from django.core.management.base import OutputWrapper
from rich.console import Console

# Into a pipe nothing is cut: whoever reads there has no width.
_NO_WIDTH = 10_000


def screen(stream: OutputWrapper) -> Console:
    """A console on a command's `stdout` or `stderr`."""
    if stream.isatty():
        return Console(file=_as_file(stream), highlight=False)
    return Console(file=_as_file(stream), highlight=False, width=_NO_WIDTH, force_terminal=False)


def write_json(stream: OutputWrapper, document: Mapping[str, Any]) -> None:
    """One document, escaped to ASCII, which every terminal and pipe can carry."""
    stream.write(json.dumps(document, indent=2))


@contextmanager
def until_the_reader_leaves() -> Iterator[None]:
    """Ends quietly where standard output was a pipe that nobody reads any more."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what it still holds when it ends, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _File:
    """Django's stream as a file that adds nothing: no line end, no colour."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(text, style_func=str, ending="")
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        return str(getattr(self._stream, "encoding", None) or "utf-8")


def _as_file(stream: OutputWrapper) -> IO[str]:
    return cast(IO[str], _File(stream))
