"""Makes the stop of a worker's main process go wrong, where the environment names a way."""

from __future__ import annotations

import os
import signal
from typing import Any

from billiard.connection import _ConnectionBase

STOP = "CELERIAC_TEST_STOP"  # the environment variable
WITHIN_A_MESSAGE = "within-a-message"  # it comes while the main writes a message to a child
HALF_A_MESSAGE = "half-a-message"  # a child waits for the rest of a message that never comes
_MESSAGE = 10  # the one that it happens to

_connection: Any = _ConnectionBase  # its published types lack what is used here


def spoil_stop_as_told() -> None:
    """A message is written in two parts, its length and then the rest."""
    way = os.environ.get(STOP)
    if way is None:
        return
    write = _connection.send_offset
    parts = 0

    def spoilt(self: Any, part: bytes, offset: int) -> Any:
        nonlocal parts
        parts += 1
        if parts == 2 * _MESSAGE and way == HALF_A_MESSAGE:
            return len(part)
        if parts == 2 * _MESSAGE and way == WITHIN_A_MESSAGE:
            os.kill(os.getpid(), signal.SIGTERM)
        return write(self, part, offset)

    _connection.send_offset = spoilt
