"""The audit trail by REST: one's own, found by any filter, at a bounded cost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import audit, trail
from accounts.ids import first_id_of
from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from tests.api.calling import PROBLEM, Caller
from tests.api.conftest import MakeCaller, MakeJob


def note(tenant: Tenant | None, number: object = 0, **options: Any) -> str:
    given: dict[str, Any] = {
        "actor": "user:eve", "action": "job.cancel", "object_type": "job", **options,
    }  # fmt: skip
    return str(audit.record(tenant=tenant, **{"object_id": number, **given}).pk)


def ids(caller: Caller, **query: Any) -> list[str]:
    return [item["id"] for item in caller.get("/audit", **query).body["items"]]


def leafed(caller: Caller, **query: Any) -> Iterator[list[str]]:
    cursor = None
    while True:
        page = caller.get("/audit", **query, **({"cursor": cursor} if cursor else {})).body
        yield [item["object_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return


@pytest.fixture
def reader(acme: Tenant, caller_of: MakeCaller) -> Caller:
    return caller_of(acme, [Scope.AUDIT_READ])


def test_an_entry_tells_who_did_what_from_where(acme: Tenant, reader: Caller) -> None:
    entry = note(acme, 7, address="192.0.2.1", before={"status": "queued"}, after={"a": 1})
    item = reader.get("/audit").body["items"][0]
    assert item.pop("created_at").endswith("Z")
    assert item == {
        "id": entry,
        "actor": "user:eve",
        "action": "job.cancel",
        "object_type": "job",
        "object_id": "7",
        "address": "192.0.2.1",
        "before": {"status": "queued"},
        "after": {"a": 1},
    }


def test_what_is_done_by_rest_is_found_by_its_object(
    acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    admin, job = caller_of(acme), make_job(acme)
    admin.post(f"/jobs/{job.pk}/cancel")
    [item] = admin.get("/audit", object_id=str(job.pk)).body["items"]
    assert (item["action"], item["actor"], item["address"]) == (
        "job.cancel",
        admin.get("/me").body["actor"],
        "127.0.0.1",
    )


def test_t12_a_tenant_reads_its_own_entries_only(
    acme: Tenant, other: Tenant, reader: Caller
) -> None:
    ours, theirs, nobodys = note(acme, 1), note(other, 1), note(None, 1)
    for query in ({}, {"object_id": "1"}, {"actor": "user:eve"}, {"action": "job.cancel"}):
        shown = ids(reader, **query)
        assert ours in shown
        assert not {theirs, nobodys} & set(shown)


def test_a_platform_admin_who_asks_for_all_sees_the_platforms_own_too(
    acme: Tenant, platform: Any
) -> None:
    ours, nobodys = note(acme, 1), note(None, 2, object_type="person")
    items = {item["id"]: item for item in platform("*").get("/audit").body["items"]}
    assert (items[ours]["tenant"], items[nobodys]["tenant"]) == ("acme", None)
    assert nobodys not in ids(platform("acme"))
    assert "tenant" not in platform("acme").get("/audit").body["items"][0]


def test_each_filter_and_all_together_find_what_fits(acme: Tenant, reader: Caller) -> None:
    wanted: dict[str, Any] = {"actor": "token:ci", "action": "queue.change", "object_type": "queue"}
    entry = note(acme, **wanted, object_id="slow")
    for name, value in {**wanted, "object_id": "slow"}.items():
        note(acme, **{**wanted, "object_id": "slow", name: f"another {value}"})
    assert ids(reader, **wanted, object_id="slow") == [entry]
    for name, value in {**wanted, "object_id": "slow"}.items():
        found = reader.get("/audit", **{name: value}).body["items"]
        assert {item[name] for item in found} == {value}
        assert len(found) == 4


def at(moment: Any, tenant: Tenant) -> str:
    """An entry of that time: a trigger refuses to move one that exists."""
    entry = AuditEntry(
        id=first_id_of(moment), at=moment, tenant=tenant, actor="user:eve", action="job.cancel",
        object_type="job", object_id="then",
    )  # fmt: skip
    entry.save(force_insert=True)
    return str(entry.pk)


def test_times_are_exact_and_exclusive(acme: Tenant, reader: Caller) -> None:
    moment = timezone.now().replace(microsecond=123_000) - timedelta(days=3)
    early, exact, late = (at(moment + timedelta(hours=hours), acme) for hours in (-1, 0, 1))
    text = moment.isoformat()
    assert ids(reader, object_id="then", created_after=text) == [late]
    assert ids(reader, created_before=text) == [early]
    whole = {"created_after": (moment - timedelta(minutes=1)).isoformat()}
    assert ids(reader, object_id="then", **whole) == [late, exact]


def test_an_entry_of_a_long_transaction_is_found_by_its_time(acme: Tenant, reader: Caller) -> None:
    began = timezone.now() - timedelta(days=2)
    entry = AuditEntry(
        id=first_id_of(began + timedelta(minutes=20)), at=began, tenant=acme, actor="user:eve",
        action="job.cancel", object_type="job", object_id="then",
    )  # fmt: skip
    entry.save(force_insert=True)
    shortly_after = (began + timedelta(minutes=1)).isoformat()
    assert ids(reader, created_before=shortly_after) == [str(entry.pk)]


@pytest.mark.parametrize(
    "query",
    [
        {"created_after": "yesterday"},
        {"created_before": ""},
        {"action": ["job.cancel", "job.retry"]},
        {"actor": "a\x00"},
        {"tenant": "other"},
        {"actor__startswith": "user"},
        {"limit": "0"},
        {"cursor": "eyJ9"},
    ],
)
def test_t11_only_the_listed_filters_with_sensible_values_are_taken(
    query: dict[str, Any], reader: Caller
) -> None:
    assert reader.get("/audit", **query).pointers == [f"/{next(iter(query))}"]


def test_t11_a_cursor_is_good_for_its_own_tenant_and_filters_only(
    acme: Tenant, other: Tenant, reader: Caller, caller_of: MakeCaller
) -> None:
    for number in range(3):
        note(acme, number)
    cursor = reader.get("/audit", limit=1).body["next_cursor"]
    assert reader.get("/audit", limit=1, cursor=cursor).status == 200
    assert reader.get("/audit", cursor=cursor, action="x").pointers == ["/cursor"]
    stranger = caller_of(other, [Scope.AUDIT_READ])
    assert stranger.get("/audit", cursor=cursor).pointers == ["/cursor"]


# --- at what cost -------------------------------------------------------------------------


def test_pages_follow_each_other_without_gap_or_repeat(acme: Tenant, reader: Caller) -> None:
    for number in range(7):
        note(acme, number)
    pages = list(leafed(reader, actor="user:eve", limit=3))
    assert [int(number) for page in pages for number in page] == [6, 5, 4, 3, 2, 1, 0]


def test_a_search_looks_through_so_many_entries_and_says_where_it_stopped(
    acme: Tenant, reader: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both filters are frequent, and the two together rare: no index leads there."""
    monkeypatch.setattr(trail, "WINDOW", 10)
    for number in range(60):
        note(acme, number, action="job.boost" if number % 29 else "job.cancel")
    pages = list(leafed(reader, action="job.boost", object_type="job", limit=4))
    assert [int(number) for page in pages for number in page] == [
        number for number in range(59, -1, -1) if number % 29
    ]
    rare = list(leafed(reader, actor="user:eve", action="job.cancel", object_type="job"))
    assert [number for page in rare for number in page] == ["58", "29", "0"]
    assert len(rare) > 2
    assert [] in rare


def test_a_rare_object_is_found_on_the_first_page_however_much_lies_above_it(
    acme: Tenant, reader: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail, "WINDOW", 10)
    note(acme, object_id="rare")
    for number in range(40):
        note(acme, number)
    assert list(leafed(reader, object_id="rare", action="job.cancel")) == [["rare"]]


def test_t12_what_other_tenants_do_shows_in_no_cursor(
    acme: Tenant, other: Tenant, reader: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index of an action leads through everybody's entries."""
    monkeypatch.setattr(trail, "WINDOW", 10)
    ours = [note(acme, number) for number in range(30)]
    for number in range(30):
        note(other, number)
    search = trail.Search(tenant=acme, exact={"action": "job.cancel", "object_type": "job"})
    found = trail.find(search, below=None, most=50)
    assert [str(entry.pk) for entry in found.entries] == ours[:19:-1]
    assert str(found.seen_to) == ours[20]
    pages = list(leafed(reader, action="job.cancel", object_type="job"))
    assert [int(number) for page in pages for number in page] == list(range(29, -1, -1))


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"action": "job.cancel"},
        {"actor": "user:eve", "action": "job.cancel", "object_type": "job"},
        {"object_type": "job", "created_after": "2020-01-01T00:00:00Z"},
    ],
)
def test_every_look_at_the_trail_is_limited(
    query: dict[str, str], acme: Tenant, reader: Caller
) -> None:
    note(acme)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        reader.get("/audit", **query)
    looks = [one["sql"] for one in asked if 'FROM "accounts_auditentry"' in one["sql"]]
    assert 1 <= len(looks) <= 4
    assert all("LIMIT" in look and "COUNT(" not in look for look in looks)


# --- who ----------------------------------------------------------------------------------


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
def test_it_needs_its_scope(granted: Scope, acme: Tenant, caller_of: MakeCaller) -> None:
    answer = caller_of(acme, [granted]).get("/audit")
    if granted in (Scope.AUDIT_READ, Scope.ADMIN):
        assert answer.status == 200
    else:
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)


def test_a_token_bound_to_an_owner_reads_no_entry(acme: Tenant, caller_of: MakeCaller) -> None:
    answer = caller_of(acme, [Scope.ADMIN], owner="eve").get("/audit")
    assert answer.status == 403


def test_t14_no_entry_shows_a_secret(acme: Tenant, caller_of: MakeCaller) -> None:
    admin = caller_of(acme)
    text = admin.post("/tokens", {"name": "ci", "scopes": ["jobs:read"]}).body["token"]
    told = json.dumps(admin.get("/audit").body)
    assert '"ci"' in told
    assert text.rpartition("_")[2] not in told
