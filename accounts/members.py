"""People's roles in a tenant: given, changed and taken, each with its audit entry.

Where `last_too` is false, the verbs raise LastTenantAdmin rather than leave a tenant without an
admin: nobody inside could mend that. Two who take each other's role at once wait for each other.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser
from django.db import transaction

from accounts import audit
from accounts.exceptions import LastTenantAdmin
from accounts.models import Membership, Tenant
from accounts.roles import Role


def put(
    user: AbstractUser,
    tenant: Tenant,
    role: Role,
    *,
    by: str,
    address: str | None = None,
    last_too: bool = False,
) -> Membership:
    """Give the person this role there, in place of the one held before.

    It acts where the person may sign in; `accounts.people.let_in` sees to that. The same role again
    writes nothing.
    """
    with transaction.atomic():
        _wait_in_turn(tenant)
        before = Membership.objects.filter(user_id=user.pk, tenant=tenant).first()
        if before is not None and role != Role.ADMIN and not last_too:
            _refuse_last(before)
        member, _ = Membership.objects.update_or_create(
            user_id=user.pk, tenant=tenant, defaults={"role": role.value}
        )
        if _told(before) != _told(member):
            _record("member.put", member, by, address, before=before, after=member)
    return member


def remove(
    member: Membership, *, by: str, address: str | None = None, last_too: bool = False
) -> None:
    """The person's next request no longer reaches the tenant."""
    with transaction.atomic():
        _wait_in_turn(member.tenant)
        if not last_too:
            _refuse_last(member)
        if Membership.objects.filter(pk=member.pk).delete()[0]:
            _record("member.remove", member, by, address, before=member, after=None)


def _wait_in_turn(tenant: Tenant) -> None:
    """Members of one tenant change one after the other, until the transaction ends."""
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)


def _refuse_last(member: Membership) -> None:
    """Raises LastTenantAdmin where the tenant has no other admin."""
    admins = Membership.objects.filter(tenant=member.tenant, role=Role.ADMIN)
    if [admin.pk for admin in admins] == [member.pk]:
        raise LastTenantAdmin


def _record(
    action: str,
    member: Membership,
    by: str,
    address: str | None,
    *,
    before: Membership | None,
    after: Membership | None,
) -> None:
    audit.record(
        actor=by,
        action=action,
        object_type="member",
        object_id=member.user.get_username(),
        tenant=member.tenant,
        address=address,
        before=_told(before),
        after=_told(after),
    )


def _told(member: Membership | None) -> dict[str, Any] | None:
    return None if member is None else {"role": member.role}
