"""Tokens made in the admin: shown once, never worth more than their maker."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import tokens
from accounts.models import ApiToken, AuditEntry, Membership, Tenant
from tests.admin.conftest import SUPERUSER, Browser

ADD, LIST = "admin:accounts_apitoken_add", "admin:accounts_apitoken_changelist"
TEXT = re.compile(r"cel_[0-9a-f]{32}_[0-9a-f]{64}")


def form(tenant: Tenant | None, **other: Any) -> dict[str, Any]:
    given = {"tenant": tenant.pk} if tenant else {}
    return {"name": "ci", "scopes": ["jobs:read"], "valid": "30", **given, **other}


def made(client: Client, body: dict[str, Any]) -> ApiToken | None:
    """The token that this form made, or None where the form came back."""
    found = TEXT.findall(client.post(reverse(ADD), body).content.decode())
    return tokens.verify(found[0]) if found else None


def everything_stored() -> str:
    """Each row of each table that a text could have slipped into."""
    names = [*connection.introspection.table_names()]
    with connection.cursor() as cursor:
        rows = []
        for name in names:
            cursor.execute(f'SELECT t::text FROM "{name}" t')
            rows += [row for (row,) in cursor.fetchall()]
    sessions = [session.get_decoded() for session in Session.objects.all()]
    return repr((rows, sessions))


def test_the_text_is_shown_once_and_stays_nowhere(
    acme: Tenant, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    client = browser("admin")
    with caplog.at_level(logging.DEBUG):
        first = client.post(reverse(ADD), form(acme))
        [text] = TEXT.findall(first.content.decode())
        token = tokens.verify(text)
        assert token is not None
        later = [
            client.post(reverse(ADD), form(acme)),  # the page sent again
            client.get(reverse(ADD)),
            client.get(reverse(LIST)),
            client.get(reverse("admin:accounts_apitoken_change", args=[token.pk])),
            client.get(reverse("admin:accounts_auditentry_changelist")),
            client.get(reverse("admin:index")),
        ]
    secret = text.rpartition("_")[2]
    assert first.content.decode().count(secret) == 1
    assert secret not in repr([(a.content, a.headers, a.cookies) for a in later])
    assert secret not in repr((first.headers, first.cookies, client.cookies))
    assert secret not in everything_stored()
    assert secret not in caplog.text
    assert ApiToken.objects.count() == 1


def test_no_cache_keeps_the_page_that_shows_a_token(acme: Tenant, browser: Browser) -> None:
    answer = browser("admin").post(reverse(ADD), form(acme))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


def test_a_token_has_what_the_form_said(acme: Tenant, browser: Browser) -> None:
    body = form(acme, scopes=["jobs:read", "queues:read"], owner="eve", valid="")
    token = made(browser("admin"), body)
    assert token is not None
    assert (token.tenant, token.owner, token.expires_at) == (acme, "eve", None)
    assert token.scopes == ["jobs:read", "queues:read"]
    entry = AuditEntry.objects.get(action="token.create")
    assert (entry.actor, entry.address, entry.tenant) == ("user:the-admin", "127.0.0.1", acme)


def test_a_token_expires_unless_somebody_says_for_ever(acme: Tenant, browser: Browser) -> None:
    token = made(browser("admin"), form(acme))
    assert token is not None
    assert token.expires_at is not None


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        ({"scopes": []}, "This field is required"),
        ({"scopes": ["jobs:destroy"]}, "Select a valid choice"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"name": "a\x00b"}, "Null characters"),
        ({"valid": "9999"}, "Select a valid choice"),
    ],
)
def test_the_form_refuses_what_makes_no_token(
    other: dict[str, Any], complaint: str, acme: Tenant, browser: Browser
) -> None:
    answer = browser("admin").post(reverse(ADD), form(acme, **other))
    assert complaint in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_only_a_platform_admin_makes_a_token_of_the_platform(
    acme: Tenant, browser: Browser
) -> None:
    body = form(None, scopes=["admin"])
    assert made(browser("admin"), body) is None
    assert not ApiToken.objects.exists()
    token = made(browser(SUPERUSER), body)
    assert token is not None
    assert token.tenant is None


@pytest.mark.parametrize("other", [{"scopes": ["jobs:read"]}, {"scopes": ["admin"], "owner": "e"}])
def test_a_token_of_the_platform_is_admin_and_has_no_owner(
    other: dict[str, Any], browser: Browser
) -> None:
    assert made(browser(SUPERUSER), form(None, **other)) is None
    assert not ApiToken.objects.exists()


def test_the_form_offers_a_tenant_before_the_platform(browser: Browser) -> None:
    """Who only presses the button makes no token that reaches everything."""
    page = browser(SUPERUSER).get(reverse(ADD)).content.decode()
    default = Tenant.objects.get(slug="default")
    assert f'<option value="{default.pk}" selected>' in page


def test_a_name_in_use_is_refused_until_it_is_revoked(acme: Tenant, browser: Browser) -> None:
    client = browser("admin")
    first = made(client, form(acme))
    assert first is not None
    assert made(client, form(acme)) is None
    client.post(reverse("admin:accounts_apitoken_revoke", args=[first.pk]))
    assert made(client, form(acme)) is not None


def test_a_role_that_was_taken_away_makes_no_token_with_an_open_form(
    acme: Tenant, browser: Browser
) -> None:
    client = browser("admin")
    client.get(reverse(ADD))
    Membership.objects.update(role="operator")
    assert client.post(reverse(ADD), form(acme)).status_code == 403
    assert not ApiToken.objects.exists()


def test_revoking_is_audited_with_the_person_and_ends_the_token(
    acme: Tenant, browser: Browser
) -> None:
    issued = tokens.issue(name="ci", tenant=acme, scopes=["jobs:read"])
    body = {"action": "revoke_selected", "_selected_action": [str(issued.token.pk)]}
    browser("admin").post(reverse(LIST), body)
    assert tokens.verify(issued.text) is None
    assert AuditEntry.objects.get(action="token.revoke").actor == "user:the-admin"


def test_a_hostile_name_is_text_everywhere(acme: Tenant, browser: Browser) -> None:
    hostile = "<script>alert(1)</script>\" onload='x'"
    client = browser("admin")
    shown = [client.post(reverse(ADD), form(acme, name=hostile, owner=hostile))]
    token = ApiToken.objects.get()
    shown += [
        client.get(reverse(LIST)),
        client.get(reverse("admin:accounts_apitoken_change", args=[token.pk])),
        client.get(reverse("admin:accounts_auditentry_changelist")),
    ]
    for answer in shown:
        assert answer.status_code == 200
        assert b"<script>alert" not in answer.content
        assert b"onload='x'" not in answer.content
        assert b"&lt;script&gt;alert" in answer.content


def test_djangos_own_log_stays_empty(acme: Tenant, browser: Browser) -> None:
    browser("admin").post(reverse(ADD), form(acme))
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("count", [3, 30])
def test_the_list_costs_the_same_however_many_there_are(
    count: int, acme: Tenant, browser: Browser, django_assert_max_num_queries: Any
) -> None:
    for number in range(count):
        tokens.issue(name=str(number), tenant=acme, scopes=["jobs:read"])
    client = browser("admin")
    with django_assert_max_num_queries(8):
        assert client.get(reverse(LIST)).status_code == 200
