"""Leadership by a lease on a row: any number of dispatchers run, one of them acts."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import connection

_ENSURE = """
    INSERT INTO jobs_leadership (duty, term, holder) VALUES (%(duty)s, 0, '')
    ON CONFLICT (duty) DO NOTHING
"""
_TAKE = """
    UPDATE jobs_leadership
       SET term = term + 1, holder = %(holder)s,
           expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
     WHERE duty = %(duty)s AND (expires_at IS NULL OR expires_at <= clock_timestamp())
    RETURNING term
"""
# The same statement lets the transaction commit without waiting for the disk: a mark that a crash
# of the database forgets is only made again.
_HOLD = """
    UPDATE jobs_leadership
       SET expires_at = clock_timestamp() + %(seconds)s * interval '1 second'
     WHERE duty = %(duty)s AND term = %(term)s AND expires_at > clock_timestamp()
       AND (SELECT set_config('synchronous_commit', 'off', true)) IS NOT NULL
    RETURNING policy_version, clock_timestamp()
"""
_RESIGN = """
    UPDATE jobs_leadership SET expires_at = clock_timestamp()
     WHERE duty = %(duty)s AND term = %(term)s
"""


class Held(NamedTuple):
    """What holding the term tells: the policy's version, and the database's time."""

    policy_version: int
    now: datetime


class Leader:
    """This process's claim on a duty.

    `hold` is to be called first in every transaction that acts for the duty. It locks the row
    until that transaction ends and fails once the term is over, so a leader that was stopped and
    resumed cannot act beside its successor: a take-over needs the same row.
    """

    def __init__(self, *, duty: str, holder: str, lease_seconds: float) -> None:
        self._duty = duty
        self._holder = holder
        self._seconds = lease_seconds
        self._term: int | None = None
        self._row_exists = False

    @property
    def term(self) -> int | None:
        return self._term

    def take(self) -> bool:
        """Become leader if nobody is."""
        with connection.cursor() as cursor:
            if not self._row_exists:
                cursor.execute(_ENSURE, {"duty": self._duty})
                self._row_exists = True
            cursor.execute(
                _TAKE, {"duty": self._duty, "holder": self._holder, "seconds": self._seconds}
            )
            row = cursor.fetchone()
        self._term = row[0] if row else None
        return self._term is not None

    def hold(self) -> Held | None:
        """Lock and extend the term in the present transaction, which may then be forgotten by a
        crash of the database; None if the term is over."""
        if self._term is None:
            return None
        with connection.cursor() as cursor:
            cursor.execute(
                _HOLD, {"duty": self._duty, "term": self._term, "seconds": self._seconds}
            )
            row = cursor.fetchone()
        if row is None:
            self._term = None
            return None
        return Held(*row)

    def resign(self) -> None:
        """End the term now, so that a successor need not wait for it."""
        if self._term is not None:
            with connection.cursor() as cursor:
                cursor.execute(_RESIGN, {"duty": self._duty, "term": self._term})
            self._term = None
