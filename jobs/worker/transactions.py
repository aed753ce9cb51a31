"""Transactions that job code left open: they must not swallow the outcome, nor the next job."""

from __future__ import annotations

import logging

from django.db import connections

logger = logging.getLogger(__name__)


def open_transactions() -> frozenset[str]:
    """The database aliases whose connection is inside a transaction now."""
    return frozenset(
        held.alias
        for held in connections.all(initialized_only=True)
        if held.in_atomic_block or (held.connection is not None and not held.autocommit)
    )


def roll_back_all_but(before: frozenset[str]) -> bool:
    """Undo every transaction that was not open `before`; whether there was one.

    The whole connection is thrown away: closing it leaves Django's note that it is inside an atomic
    block, and everything after would be written into a transaction that nobody commits.
    """
    left_open = open_transactions() - before
    for alias in left_open:
        raw = connections[alias].connection
        del connections[alias]
        if raw is not None:
            raw.close()
        logger.error("job code left a transaction open on %r; it is rolled back", alias)
    return bool(left_open)
