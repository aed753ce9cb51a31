"""The database's clock, by which schedules fire: what is written beside a moment goes by it too."""

from __future__ import annotations

from datetime import datetime

from django.db import connection


def database_now() -> datetime:
    """As it is now, not when the transaction began."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime)
    return now
