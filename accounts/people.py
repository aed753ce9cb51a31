"""People who sign in: saved with an audit entry. Nobody is removed: the audit trail names them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.db import transaction

from accounts import audit
from accounts.exceptions import LastPlatformAdmin

_TOLD = ("email", "is_active", "is_staff", "is_superuser")


def save(user: AbstractUser, *, by: str, address: str | None = None) -> None:
    """Store a new person, or a known one's new fields, and who did it.

    Raises LastPlatformAdmin where nobody would be left who reaches everything.
    """
    with transaction.atomic():
        before = _stored(user)
        user.save()
        if before is not None and before["is_superuser"]:
            _leave_one()
        after = _told(user)
        if before != after:
            _record("person.create" if before is None else "person.change", user, by, address,
                    before=before, after=after)  # fmt: skip


def let_in(user: AbstractUser, *, by: str, address: str | None = None) -> None:
    """The person may sign in to the admin; roles say what for. A platform admin's to decide."""
    with transaction.atomic():
        rows = get_user_model()._default_manager.filter(pk=user.pk, is_staff=False)
        if rows.update(is_staff=True):
            _record("person.change", user, by, address,
                    before={"is_staff": False}, after={"is_staff": True})  # fmt: skip
    user.is_staff = True


def password_set(user: AbstractUser, *, by: str, address: str | None = None) -> None:
    """Write down that the person has another password, in the transaction that stores it."""
    _record("person.password", user, by, address)


def _platform_admins() -> list[AbstractUser]:
    """Locked, always in the same order: of two who demote each other, one learns it."""
    admins = get_user_model()._default_manager.filter(is_superuser=True).order_by("pk")
    return list(admins.select_for_update())


def _leave_one() -> None:
    if not any(admin.is_active and admin.is_staff for admin in _platform_admins()):
        raise LastPlatformAdmin


def _stored(user: AbstractUser) -> dict[str, Any] | None:
    if user.pk is None:
        return None
    _platform_admins()
    known = get_user_model()._default_manager.filter(pk=user.pk).first()
    return None if known is None else _told(known)


def _told(user: Any) -> dict[str, Any]:
    return {"name": user.get_username(), **{field: getattr(user, field) for field in _TOLD}}


def _record(action: str, user: AbstractUser, by: str, address: str | None, **sides: Any) -> None:
    audit.record(
        actor=by,
        action=action,
        object_type="person",
        object_id=user.get_username(),
        tenant=None,
        address=address,
        **sides,
    )
