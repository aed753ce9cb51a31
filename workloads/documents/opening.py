"""The parent's side: start the child, watch over it, believe its answer or its end."""

import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from workloads.documents.block import Opened
from workloads.documents.errors import (
    OversizedDocument,
    ReaderUnavailable,
    UnreadableDocument,
)
from workloads.documents.limits import Limits
from workloads.documents.source import SourceDocument
from workloads.documents.wire import OUT_OF_MEMORY, understood, write_request

ROOT = Path(__file__).resolve().parent.parent.parent
# -B: it may not write files; -s: no user's packages; utf8: there is no locale.
COMMAND = (sys.executable, "-B", "-s", "-X", "utf8", "-m", "workloads.documents.child")
DEFAULT_LIMITS = Limits()

_LOOK_EVERY = 0.1
_TO_END = 5.0
_OUT_OF_TIME = frozenset({-signal.SIGXCPU, -signal.SIGALRM})
_BROKEN_BY_IT = frozenset({-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGFPE})


def open_document(
    source: SourceDocument,
    *,
    keep_on: Callable[[], None] = lambda: None,
    limits: Limits = DEFAULT_LIMITS,
) -> Opened:
    """The text of the document, within `limits`; raises `DocumentError` where there is none.

    `keep_on` is called about ten times a second; what it raises ends the child and is passed on.
    """
    if len(source.content) > limits.file_bytes:
        most = limits.file_bytes // 1_000_000
        raise OversizedDocument(f"The file is larger than {most} MB.", limit="file_bytes")
    with tempfile.TemporaryFile() as request:
        write_request(request, source, limits, os.getpid())
        request.seek(0)
        with _child(request) as child:
            answer = _heard(child, limits, keep_on)
            return _concluded(answer, child.wait(_TO_END))


@contextmanager
def _child(request: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A child at work; however this is left, it has ended and been waited for."""
    child = subprocess.Popen(  # noqa: S603 - our own command, no shell
        COMMAND,
        cwd=ROOT,
        env={},
        stdin=request,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def _heard(child: subprocess.Popen[bytes], limits: Limits, keep_on: Callable[[], None]) -> bytes:
    """All that the child says before it closes its output."""
    assert child.stdout is not None
    deadline = time.monotonic() + limits.wall_seconds
    answer = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while True:
            keep_on()
            if time.monotonic() > deadline:
                raise _out_of_time()
            if not selector.select(_LOOK_EVERY):
                continue
            if not (piece := os.read(child.stdout.fileno(), 65_536)):
                return bytes(answer)
            answer += piece
            if len(answer) > _longest_answer(limits):
                raise OversizedDocument("The document has too much text.", limit="answer_bytes")


def _longest_answer(limits: Limits) -> int:
    """The text limit counts some characters for every block, and a character has 4 bytes."""
    return 4 * limits.text_characters + 65_536


def _concluded(answer: bytes, status: int) -> Opened:
    """What the child found, or what its end means; `status` is as `Popen.returncode` has it."""
    if status == 0:
        return understood(answer)
    if status == OUT_OF_MEMORY:
        raise OversizedDocument("Reading the document takes too much memory.", limit="memory")
    if status in _OUT_OF_TIME:
        raise _out_of_time()
    if status in _BROKEN_BY_IT:
        raise UnreadableDocument(reason=signal.Signals(-status).name)
    raise ReaderUnavailable(f"The document reader ended with status {status}.")


def _out_of_time() -> OversizedDocument:
    return OversizedDocument("Reading the document takes too long.", limit="time")
