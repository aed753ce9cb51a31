"""Makes the stop of a worker's main process go wrong, where the environment names a way."""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

from billiard.connection import _ConnectionBase

STOP = "CELERIAC_TEST_STOP"  # the environment variable
WITHIN_A_MESSAGE = "within-a-message"  # it comes while the main writes a message to a child
HALF_MESSAGES = "half-messages"  # children wait for the rest of their messages, which never comes
_MESSAGES = 10  # written whole before
TORN = "half a message is written"  # in the log
_LENGTH_BYTES = 4

logger = logging.getLogger(__name__)
_connection: Any = _ConnectionBase  # its published types lack what is used here


def spoil_stop_as_told() -> None:
    """A message is written in two parts, its length and then the rest."""
    way = os.environ.get(STOP)
    if way is None:
        return
    write = _connection.send_offset
    messages = 0

    def spoilt(self: Any, part: bytes, offset: int) -> Any:
        nonlocal messages
        if len(part) == _LENGTH_BYTES:
            messages += 1
        elif messages == _MESSAGES + 1 and way == WITHIN_A_MESSAGE and not offset:
            os.kill(os.getpid(), signal.SIGTERM)
        elif way == HALF_MESSAGES:
            logger.error(TORN)
            return len(part)
        return write(self, part, offset)

    _connection.send_offset = spoilt
