"""The first way into a new installation."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts import tokens
from accounts.bootstrap import first_start
from accounts.models import DEFAULT_TENANT, ApiToken, Tenant
from tests.support.copying import unchecked

pytestmark = pytest.mark.django_db


def test_a_new_installation_gets_one_administrator_and_one_platform_token() -> None:
    first = first_start()
    assert first is not None
    assert authenticate(username=first.admin_username, password=first.admin_password)
    token = tokens.verify(first.admin_token)
    assert token is not None
    assert token.tenant is None


def test_a_second_start_makes_nothing() -> None:
    assert first_start() is not None
    assert first_start() is None
    assert ApiToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_default_tenant_exists_after_migrate_and_after_a_flush() -> None:
    assert Tenant.objects.filter(slug=DEFAULT_TENANT).exists()
    with unchecked():  # the audit trail refuses to be emptied
        call_command("flush", interactive=False, verbosity=0)
    assert Tenant.objects.filter(slug=DEFAULT_TENANT).exists()


def made(*arguments: str) -> ApiToken:
    printed = StringIO()
    call_command("tokens", "create", *arguments, stdout=printed, stderr=StringIO())
    token = tokens.verify(printed.getvalue().strip())
    assert token is not None
    return token


def test_the_command_prints_a_working_token_for_the_default_tenant() -> None:
    token = made("ci")
    assert token.tenant == Tenant.objects.get(slug=DEFAULT_TENANT)
    assert token.scopes == ["jobs:read", "jobs:write"]


def test_the_command_makes_platform_tokens_and_owners_tokens() -> None:
    assert made("root", "--platform").tenant is None
    bound = made("bound", "--scope", "jobs:read", "--owner", "eve", "--days", "1")
    assert (bound.owner, bound.scopes) == ("eve", ["jobs:read"])
    assert bound.expires_at is not None


def test_the_command_revokes() -> None:
    token = made("ci")
    call_command("tokens", "revoke", token.pk.hex, stderr=StringIO())
    token.refresh_from_db()
    assert token.revoked_at is not None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["create", "x", "--tenant", "nobody"], "No tenant"),
        (["create", "x", "--platform", "--scope", "jobs:read"], "scope admin"),
        (["create", "x", "--scope", "jobs:destroy"], "invalid choice"),
        (["create", "x", "--days", "0"], "1 to 36500"),
        (["revoke", "0" * 32], "No such token"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("tokens", *arguments, stdout=StringIO(), stderr=StringIO())
