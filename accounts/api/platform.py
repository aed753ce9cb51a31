"""Calls that are a platform admin's alone."""

from __future__ import annotations

from rest_framework.exceptions import PermissionDenied

from accounts.access import Access
from accounts.scopes import Scope


def is_platform_admin(access: Access) -> bool:
    """Whoever belongs to a tenant is none, an admin there included."""
    return access.principal.tenant is None and access.may(Scope.ADMIN)


def require_platform_admin(access: Access) -> None:
    """Raises PermissionDenied for everybody else."""
    if not is_platform_admin(access):
        raise PermissionDenied("Only a platform admin may do this.")
