"""The transaction in which a policy is changed.

It holds the dispatcher's row, so it stands between two of its ticks: what the dispatcher sent
before, the change can see and take back; what it sends after, it sends under the new policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from jobs.models.leadership import DISPATCH

_NEXT_VERSION = """
    INSERT INTO jobs_leadership (duty, term, holder, policy_version) VALUES (%s, 0, '', 1)
    ON CONFLICT (duty) DO UPDATE SET policy_version = jobs_leadership.policy_version + 1
"""


@contextmanager
def changing() -> Iterator[None]:
    """Every change of limits, pauses and closed keys is made inside this."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_NEXT_VERSION, [DISPATCH])
        yield
