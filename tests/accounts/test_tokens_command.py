"""`manage.py tokens list`: what works, whose it is, and never a secret."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import tokens
from accounts.models import ApiToken, Tenant
from accounts.scopes import Scope

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("tokens", "list", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def issue(name: str, tenant: Tenant | None, **options: Any) -> tokens.IssuedToken:
    scopes = [Scope.JOBS_READ] if tenant else [Scope.ADMIN]
    return tokens.issue(name=name, tenant=tenant, scopes=scopes, **options)


@pytest.fixture
def acme() -> Tenant:
    return Tenant.objects.create(slug="acme")


def test_a_line_tells_whose_a_token_is_and_what_it_may_but_not_its_secret(acme: Tenant) -> None:
    issued = issue("ci", acme, owner="eve")
    told = said()
    assert told == (
        f"{issued.token.pk.hex} ci of acme: jobs:read; owner eve; for ever; last used never\n"
    )
    assert issued.text.rpartition("_")[2] not in told + said("--json")


def test_tokens_are_listed_newest_first_of_everybody_or_of_whom_is_asked_for(acme: Tenant) -> None:
    issue("first", acme)
    issue("second", None)
    assert [line.split()[1] for line in said().splitlines()] == ["second", "first"]
    assert [line.split()[1] for line in said("--tenant=acme").splitlines()] == ["first"]
    assert [line.split()[1] for line in said("--platform").splitlines()] == ["second"]
    with pytest.raises(CommandError, match="No tenant is called 'nobody'"):
        said("--tenant=nobody")


def test_revoked_tokens_are_listed_apart(acme: Tenant) -> None:
    issue("working", acme)
    tokens.revoke(issue("gone", acme).token, by="user:eve")
    assert [line.split()[1] for line in said().splitlines()] == ["working"]
    assert [line.split()[1] for line in said("--revoked").splitlines()] == ["gone"]


def test_json_is_one_document_as_the_api_shows_it(acme: Tenant) -> None:
    issue("ci", acme)
    [item] = json.loads(said("--json"))["items"]
    assert (item["name"], item["tenant"], item["platform"]) == ("ci", "acme", False)


def test_a_name_cannot_drive_the_terminal(acme: Tenant) -> None:
    ApiToken.objects.filter(pk=issue("ci", acme).token.pk).update(name="a\x1b[2Jb\nc")
    assert "a?[2Jb?c" in said()
