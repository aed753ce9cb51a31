"""Steps that outlast a database that goes away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection
from psycopg.errors import IdleInTransactionSessionTimeout

T = TypeVar("T")

DATABASE_AWAY = (OperationalError, InterfaceError)


def persistently(step: Callable[[bool], T], *, until: Callable[[], float]) -> T:
    """Do a database step; when its connection breaks, again on a new one until `until()`, which
    may move meanwhile.

    `step` is told whether an earlier try may have been committed without our knowing.
    """
    again, pause = False, 0.05
    while True:
        try:
            return step(again)
        except (*DATABASE_AWAY, InternalError) as error:
            if not is_away(error):
                raise
            connection.close()
            if time.monotonic() + pause > until():
                raise
        again = True
        time.sleep(pause)
        pause = min(pause * 2, 1.0)


def is_away(error: Exception) -> bool:
    """Whether the connection broke. The server's end of an idle transaction, which a process meets
    that was frozen in it, comes as an InternalError."""
    return isinstance(error, DATABASE_AWAY) or isinstance(
        error.__cause__, IdleInTransactionSessionTimeout
    )
