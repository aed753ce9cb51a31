"""The audit trail in the admin: what it shows, and what it costs to look."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import audit
from accounts.models import AuditEntry, Membership, Tenant
from tests.admin.conftest import SUPERUSER, Browser

LIST = "admin:accounts_auditentry_changelist"


def entry(tenant: Tenant | None, **other: Any) -> AuditEntry:
    told = {"actor": "user:eve", "action": "job.cancel", "object_type": "thing", "object_id": "7"}
    with transaction.atomic():
        return audit.record(tenant=tenant, **{**told, **other})


def shown(client: Client, **query: str) -> list[str]:
    """The primary keys on the page, in its order."""
    answer = client.get(reverse(LIST), query)
    assert answer.status_code == 200
    return [str(row.pk) for row in answer.context["cl"].result_list]


def test_the_newest_comes_first(acme: Tenant, browser: Browser) -> None:
    client = browser("admin")
    made = [str(entry(acme).pk) for _ in range(3)]
    assert shown(client) == made[::-1]


def test_actor_object_and_action_are_found_exactly(acme: Tenant, browser: Browser) -> None:
    client = browser("admin")
    eves, bobs = entry(acme), entry(acme, actor="user:bob", action="job.retry", object_id="77")
    assert shown(client, q="user:bob") == [str(bobs.pk)]
    assert shown(client, q=" 7 ") == [str(eves.pk)]
    assert shown(client, q="user:bo") == []
    assert shown(client, action="job.retry") == [str(bobs.pk)]
    assert shown(client, action="job.retry", q="user:eve") == []
    assert set(shown(client, hours="1")) == {str(eves.pk), str(bobs.pk)}


def test_platform_admins_filter_by_tenant_and_by_the_platform(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    client = browser(SUPERUSER)
    ours, theirs, nobodys = entry(acme), entry(other), entry(None)
    assert shown(client, tenant="acme") == [str(ours.pk)]
    assert shown(client, tenant="other") == [str(theirs.pk)]
    assert str(nobodys.pk) in shown(client, tenant="-")
    assert shown(client, tenant="unknown") == []


def test_a_tenants_filter_reaches_no_further_than_the_role(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    client = browser("admin")
    entry(other)
    entry(None)
    for slug in ("other", "-"):
        assert shown(client, tenant=slug) == []


def test_what_changed_is_told_field_by_field(acme: Tenant, browser: Browser) -> None:
    row = entry(acme, before={"role": "viewer", "kept": 1}, after={"role": "admin", "kept": 1})
    client = browser("admin")
    assert "role: viewer → admin" in client.get(reverse(LIST)).content.decode()
    page = client.get(reverse("admin:accounts_auditentry_change", args=[row.pk])).content.decode()
    assert "<td>role</td>" in page
    assert "<td>kept</td>" not in page


def test_an_entry_leads_to_the_object(acme: Tenant, browser: Browser) -> None:
    row = entry(acme, object_type="tenant", object_id="acme")
    client = browser("admin")
    page = client.get(reverse("admin:accounts_auditentry_change", args=[row.pk]))
    way = reverse("admin:accounts_auditentry_object", args=[row.pk])
    assert f'href="{way}"' in page.content.decode()
    found = client.get(way).headers["Location"]
    assert found == reverse("admin:accounts_tenant_changelist") + "?q=acme"


@pytest.mark.parametrize("object_id", ["01a208b0-bb6a-7377-be50-a2b07997b84e", "no id"])
def test_an_entry_about_what_is_no_more_leads_to_all_that_was_done_to_it(
    acme: Tenant, browser: Browser, object_id: str
) -> None:
    row = entry(acme, object_type="endpoint", object_id=object_id)
    answer = browser("admin").get(reverse("admin:accounts_auditentry_object", args=[row.pk]))
    assert answer.headers["Location"] == f"{reverse(LIST)}?{urlencode({'q': object_id})}"


def test_anothers_entry_leads_nowhere(acme: Tenant, other: Tenant, browser: Browser) -> None:
    for about, role, status in ((other, "admin", 404), (acme, "viewer", 403)):
        row = entry(about, object_type="tenant", object_id="acme")
        way = reverse("admin:accounts_auditentry_object", args=[row.pk])
        assert browser(role).get(way).status_code == status


def test_hostile_entries_are_text(acme: Tenant, browser: Browser) -> None:
    hostile = "<script>alert(1)</script>"
    row = entry(
        acme, actor=hostile, action=hostile, object_type=hostile, object_id=hostile,
        before={hostile: hostile}, after={hostile: [hostile]},
    )  # fmt: skip
    client = browser("admin")
    for page in (reverse(LIST), reverse("admin:accounts_auditentry_change", args=[row.pk])):
        content = client.get(page).content
        assert b"&lt;script&gt;alert" in content
        assert b"<script>alert" not in content


def test_nobody_leafs_or_sorts_past_what_an_index_gives(acme: Tenant, browser: Browser) -> None:
    client = browser("admin")
    entry(acme)
    assert b"Show all" not in client.get(reverse(LIST)).content
    assert client.get(reverse(LIST), {"p": "201"}).status_code == 302
    with CaptureQueriesContext(
        connection,
    ) as asked:
        client.get(reverse(LIST), {"o": "2.-5"})
    assert not [q for q in asked if "COUNT" in q["sql"] and "auditentry" in q["sql"]]
    [listing] = [q["sql"] for q in asked if "LIMIT" in q["sql"] and '"before"' in q["sql"]]
    assert listing.endswith('ORDER BY "accounts_auditentry"."id" DESC LIMIT 50')


# --- at any size ---

_FILL = """
    INSERT INTO accounts_auditentry (id, tenant_id, actor, action, object_type, object_id)
    SELECT (lpad(to_hex(%(base)s + n), 12, '0') || '7000a0000000' || lpad(to_hex(n), 8, '0'))::uuid,
           CASE WHEN n %% 50 = 0 THEN %(acme)s ELSE %(other)s END,
           'user:' || (n %% 40), 'job.verb' || (n %% 20), 'job', n::text
      FROM generate_series(%(first)s, %(last)s) AS n
"""
QUERIES: Sequence[dict[str, str]] = (
    {},
    {"action": "job.verb3"},
    {"action": "person.rare"},
    {"q": "user:7"},
    {"q": "user:nobody"},
    {"q": "1234"},
    {"tenant": "acme"},
    {"hours": "24"},
    {"p": "3"},
)


def fill(acme: Tenant, other: Tenant, first: int, last: int) -> None:
    given = {"acme": acme.pk, "other": other.pk, "first": first, "last": last, "base": 1 << 40}
    with connection.cursor() as cursor:
        cursor.execute(_FILL, given)
        cursor.execute("ANALYZE accounts_auditentry")


def buffers(client: Client, query: dict[str, str]) -> int:
    """How many pages of the database the statements of one look touch."""
    with CaptureQueriesContext(connection) as asked:
        assert client.get(reverse(LIST), query).status_code == 200
    statements = [q["sql"] for q in asked if "auditentry" in q["sql"]]
    touched = 0
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + sql.replace("%", "%%"), [])
            [(told,)] = cursor.fetchall()
            plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
            touched += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return touched


@pytest.mark.parametrize("kind", ["admin", SUPERUSER])
def test_a_look_costs_the_same_in_a_trail_of_any_length(
    kind: str, acme: Tenant, other: Tenant, browser: Browser
) -> None:
    client = browser(kind)
    Membership.objects.filter(tenant=other).delete()
    fill(acme, other, 1, 10_000)
    entry(acme, action="person.rare")
    short = [buffers(client, query) for query in QUERIES]
    fill(acme, other, 10_001, 100_000)
    long = [buffers(client, query) for query in QUERIES]
    too_dear = {
        str(query): (before, after)
        for query, before, after in zip(QUERIES, short, long, strict=True)
        if after > 2 * before + 40
    }
    assert not too_dear
