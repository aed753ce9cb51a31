"""Bounds of the product that a busy machine passes: longer, for tests that prove something else."""

from __future__ import annotations

import sys
from functools import lru_cache

import pytest
from django.db import connection

from accounts.rate_limits.limiting import Limiter
from accounts.rate_limits.storages import InMemory, InRedis
from jobs.lifecycle import statement
from scheduling import firing

PATIENT = 10.0  # seconds: a busy machine is no absent Redis
_WAIT = "60s"


@lru_cache
def limiter_at(url: str) -> Limiter:
    """The product's would count alone for a while after one late answer of Redis."""
    return Limiter(InRedis(url, timeout=PATIENT), InMemory())


def wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a row gets it, or a deadlock is found, before the wait is given up."""
    for module in list(sys.modules.values()):
        if module is not statement and vars(module).get("bound_waits") is statement.bound_waits:
            monkeypatch.setattr(module, "bound_waits", _bound_waits)
    monkeypatch.setattr(firing, "LONGEST_HELD", _WAIT)
    monkeypatch.setattr(firing, "LONGEST_IDLE", _WAIT)


def _bound_waits() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT set_config('lock_timeout', %s, true),
                      set_config('idle_in_transaction_session_timeout', %s, true)""",
            [_WAIT, _WAIT],
        )
