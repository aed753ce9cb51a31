"""Two tenants, and a browser for each kind of person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Membership, Tenant
from accounts.roles import Role

ANONYMOUS, PLAIN, STAFF, SUPERUSER = "anonymous", "plain", "staff", "superuser"
KINDS = (ANONYMOUS, PLAIN, STAFF, *(role.value for role in Role), SUPERUSER)

Browser = Callable[[str], Client]


@pytest.fixture
def acme(db: None) -> Tenant:
    return Tenant.objects.create(slug="acme")


@pytest.fixture
def other(db: None) -> Tenant:
    return Tenant.objects.create(slug="other")


def person(name: str, tenant: Tenant | None = None, role: str = "", **columns: Any) -> User:
    """Staff, and a member of the tenant if one is given."""
    columns.setdefault("is_staff", True)
    user = get_user_model().objects.create_user(name, **columns)
    if tenant is not None:
        Membership.objects.create(user=user, tenant=tenant, role=role)
    return user


@pytest.fixture
def browser(acme: Tenant) -> Browser:
    """A browser where a person of this kind is signed in; with a role, as member of acme."""

    def signed_in(kind: str) -> Client:
        client = Client()
        if kind != ANONYMOUS:
            roles = {role.value for role in Role}
            client.force_login(
                person(
                    f"the-{kind}",
                    acme if kind in roles else None,
                    kind,
                    is_staff=kind != PLAIN,
                    is_superuser=kind == SUPERUSER,
                )
            )
        return client

    return signed_in
