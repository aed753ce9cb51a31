"""The one way to write an audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.models import AuditEntry, Tenant


def record(
    *,
    actor: str,
    action: str,
    object_type: str,
    object_id: object,
    tenant: Tenant | None,
    address: str | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write down an administrative change, in the transaction that makes it.

    `tenant` is whose object it was (None: the platform's), `action` reads `noun.verb`, `before`
    and `after` hold the fields that changed, JSON-able and without secrets. Raises
    TransactionManagementError outside a transaction: the entry could outlive an undone change.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry belongs to a transaction")
    return AuditEntry.objects.create(
        actor=actor,
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        tenant=tenant,
        address=address,
        before=before,
        after=after,
    )
