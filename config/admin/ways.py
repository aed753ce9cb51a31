"""Who sees which way in the admin's menu. (Each page checks for itself as well.)"""

from __future__ import annotations

from django.http import HttpRequest

from accounts.roles import Role
from accounts.staff import staff_of


def everywhere(request: HttpRequest) -> bool:
    return staff_of(request).everywhere


def admins(request: HttpRequest) -> bool:
    return staff_of(request).may_somewhere(Role.ADMIN)
