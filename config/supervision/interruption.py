"""Requests to stop, turned into one exception."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn


class StopRequested(BaseException):
    """Somebody asked this process to stop. No error: whoever holds something lets go of it."""


@contextmanager
def stop_requests() -> Iterator[None]:
    """Within this, Ctrl-C, SIGTERM and a closed terminal raise `StopRequested`, once.

    The stop itself is not interrupted by a second request: half a stop would leave processes.
    """
    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # `nohup` asked to ignore it
        signals.append(signal.SIGHUP)

    def raise_once(_signal: int, _frame: FrameType | None) -> NoReturn:
        for one in signals:
            signal.signal(one, signal.SIG_IGN)
        raise StopRequested

    before = {one: signal.signal(one, raise_once) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
