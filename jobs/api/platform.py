"""Calls that are a platform admin's alone."""

from __future__ import annotations

from rest_framework.exceptions import PermissionDenied

from accounts.access import Access
from accounts.scopes import Scope


def require_platform_admin(access: Access) -> None:
    """Raises PermissionDenied for whoever belongs to a tenant, an admin there included."""
    principal = access.principal
    if principal.tenant is not None or not access.may(Scope.ADMIN):
        raise PermissionDenied("Only a platform admin may do this.")
