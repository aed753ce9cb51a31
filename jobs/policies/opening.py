"""Keys that somebody opens again, before what closed them is over."""

from __future__ import annotations

from django.db import transaction

from jobs import nudge
from jobs.lifecycle.statement import bound_waits
from jobs.models import KeyState
from jobs.policies.changes import changing
from jobs.priorities import HIGHEST


def open_key(tenant_id: int, key: str) -> bool:
    """Forget what was learned about the key, in the caller's transaction: its jobs may start, and
    its failures in a row count from nought. False where nothing was known. A pause stays.

    Call it last: the dispatcher waits from here until the transaction ends.
    """
    with transaction.atomic():
        known = KeyState.objects.filter(tenant=tenant_id, key=key)
        if not known.exists():  # nearly always: the dispatcher need not be asked
            return False
        bound_waits()
        with changing():
            known.delete()
        transaction.on_commit(lambda: nudge.work_waits(HIGHEST))
    return True
