"""One call whose answer is read as it comes."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from jobs.egress.bounds import Bounds
from jobs.egress.call import Progress, called
from jobs.egress.exchange import Failure, Request
from jobs.egress.failing import EXPECTED, meaning
from jobs.egress.sending import ended

_READ_BYTES = 64 * 1024


class BrokenOff(Exception):
    """There is no whole answer; `failure` says why. `was_connected`: it came so far that a host
    took the connection; `had_answer`: so far that the answer's headers were there."""

    def __init__(self, failure: Failure, message: str, progress: Progress) -> None:
        super().__init__(message)
        self.failure = failure
        self.was_connected = progress.is_connected
        self.had_answer = progress.status is not None


class Stream:
    """An answer whose body comes piece by piece. It can be read once."""

    def __init__(
        self, response: http.client.HTTPResponse, progress: Progress, most_bytes: int
    ) -> None:
        assert progress.status is not None
        self.status: int = progress.status
        self.headers: Mapping[str, str] = progress.headers
        self.address = progress.address
        self._response = response
        self._progress = progress
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        """The pieces as they arrive. One byte more than `most_bytes` is `too_large`."""
        count = 0
        while piece := self._piece():
            count += len(piece)
            if count > self._most_bytes:
                message = "The answer is too large."
                raise BrokenOff(Failure.TOO_LARGE, message, self._progress)
            yield piece

    def lines(self) -> Iterator[bytes]:
        """The same by lines, without their ends."""
        rest: list[bytes] = []
        for piece in self:
            first, *others = piece.split(b"\n")
            rest.append(first)
            for other in others:
                yield b"".join(rest)
                rest = [other]
        if last := b"".join(rest):
            yield last

    def _piece(self) -> bytes:
        try:
            piece = self._response.read1(_READ_BYTES)
            if not piece:
                ended(self._response)
        except EXPECTED as error:
            raise _broken_off(error, self._progress) from error
        return piece


@contextmanager
def stream(
    request: Request,
    *,
    idle_seconds: float | None = None,
    tick: Callable[[], object] | None = None,
) -> Iterator[Stream]:
    """The answer, under the rules of `send`; raises `BrokenOff`, also inside the block.

    `timeout_seconds` bounds the whole, `idle_seconds` the wait for any one byte of the answer.
    `tick` runs several times a second while nothing comes, and may raise to end the call; while a
    connection is made it waits for that, at most ten seconds or so.
    """
    progress = Progress()
    bounds = Bounds(request.timeout_seconds, idle_seconds=idle_seconds, tick=tick)
    with ExitStack() as ending:
        try:
            response = ending.enter_context(called(request, bounds, progress))
        except EXPECTED as error:
            raise _broken_off(error, progress) from error
        yield Stream(response, progress, request.most_bytes)


def _broken_off(error: BaseException, progress: Progress) -> BrokenOff:
    failure, message = meaning(error)
    return BrokenOff(failure, message, progress)
