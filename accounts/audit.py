"""The one way to write an audit entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from django.db import transaction

from accounts.models import AuditEntry, Tenant


class Doer(Protocol):
    """Who does it, as the trail names it, and from which address."""

    @property
    def name(self) -> str: ...

    @property
    def address(self) -> str | None: ...


class TenantsRow(Protocol):
    @property
    def pk(self) -> Any: ...

    @property
    def tenant(self) -> Tenant | None: ...


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


def record_done(
    action: str,
    row: TenantsRow,
    by: Doer,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """`record` what was done to a row of a tenant, which is of the type that `action` names."""
    return record(
        actor=by.name,
        action=action,
        object_type=action.partition(".")[0],
        object_id=row.pk,
        tenant=row.tenant,
        address=by.address,
        before=before,
        after=after,
    )
