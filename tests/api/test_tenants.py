"""Tenants by REST: a platform admin's alone, and each change on record."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from accounts.api.tenants_documents import PlanName
from accounts.models import AuditEntry, Membership, Tenant
from accounts.plans import PLANS
from accounts.scopes import EVERY_SCOPE, Scope
from tests.api.accessing import ACCESS_CALLS, NEW_TENANT, TENANT_CALLS
from tests.api.calling import PROBLEM, Caller
from tests.api.conftest import MakeCaller
from tests.api.test_schema import check, schema
from tests.api.test_tokens import call, issued

LIMITED = {
    "max_running": 4,
    "max_queued": 0,
    "max_per_day": 1000,
    "rate_limit": "100/m",
    "weight": 3,
    "retention_days": 0.5,
}


def test_a_new_tenant_is_answered_as_it_stands(platform: Any) -> None:
    answer = platform().post("/tenants", {**NEW_TENANT, **LIMITED})
    created_at = answer.body.pop("created_at")
    assert created_at.endswith("Z")
    assert (answer.status, answer.body) == (201, {**NEW_TENANT, **LIMITED})
    read = platform().get("/tenants/newcomer").body
    assert read == {**answer.body, "created_at": created_at}
    assert platform("newcomer").get("/me").body["plan"] == "free"


def test_what_is_left_out_has_no_limit_and_the_plan_basic(platform: Any) -> None:
    body = platform().post("/tenants", {"slug": "plain"}).body
    assert (body["name"], body["plan"]) == ("", "basic")
    assert [body[limit] for limit in LIMITED] == [None] * len(LIMITED)


def test_a_slug_in_use_is_409(acme: Tenant, platform: Any) -> None:
    answer = platform().post("/tenants", {**NEW_TENANT, "slug": "acme"})
    assert (answer.status, answer.headers["Content-Type"]) == (409, PROBLEM)
    assert Tenant.objects.filter(slug="acme").count() == 1


def test_a_tenant_is_made_once_for_each_idempotency_key(platform: Any) -> None:
    admin = platform()
    first = admin.post("/tenants", NEW_TENANT, idempotency_key="k")
    again = admin.post("/tenants", NEW_TENANT, idempotency_key="k")
    assert (again.status, again.body) == (201, first.body)
    assert AuditEntry.objects.filter(action="tenant.create").count() == 1


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({"slug": "New"}, ["/slug"]),
        ({"slug": "-new"}, ["/slug"]),
        ({"slug": "new\n"}, ["/slug"]),
        ({"slug": "*"}, ["/slug"]),
        ({"slug": "x" * 64}, ["/slug"]),
        ({"slug": None}, ["/slug"]),
        ({"plan": "gold"}, ["/plan"]),
        ({"plan": None}, ["/plan"]),
        ({"name": "x" * 201}, ["/name"]),
        ({"max_running": 0}, ["/max_running"]),
        ({"max_queued": -1}, ["/max_queued"]),
        ({"max_per_day": 2**31}, ["/max_per_day"]),
        ({"max_running": "4"}, ["/max_running"]),
        ({"rate_limit": "fast"}, ["/rate_limit"]),
        ({"weight": 101}, ["/weight"]),
        ({"retention_days": 36_501}, ["/retention_days"]),
        ({"created_at": "2026-01-01T00:00:00Z"}, ["/created_at"]),
        ({"id": 1}, ["/id"]),
    ],
)
def test_a_wish_that_breaks_a_rule_is_422_and_changes_nothing(
    change: dict[str, Any], pointers: list[str], acme: Tenant, platform: Any
) -> None:
    before = list(Tenant.objects.order_by("pk").values())
    assert platform().post("/tenants", {**NEW_TENANT, **change}).pointers == pointers
    assert platform().patch("/tenants/acme", change).pointers == pointers
    assert list(Tenant.objects.order_by("pk").values()) == before


def test_a_change_keeps_what_it_does_not_name(acme: Tenant, platform: Any) -> None:
    admin = platform()
    assert admin.patch("/tenants/acme", LIMITED).status == 200
    body = admin.patch("/tenants/acme", {"plan": "premium", "rate_limit": None}).body
    assert (body["plan"], body["rate_limit"], body["max_running"]) == ("premium", None, 4)
    assert admin.patch("/tenants/acme", {"name": "Acme"}).body["plan"] == "premium"
    acme.refresh_from_db()
    assert (acme.name, acme.plan_name, acme.rate_limit, acme.weight) == ("Acme", "premium", "", 3)


def test_the_slug_stays(acme: Tenant, platform: Any) -> None:
    answer = platform().patch("/tenants/acme", {"slug": "emca"})
    assert answer.pointers == ["/slug"]
    assert answer.body["errors"][0]["detail"] == "read-only field"


def test_each_change_stands_in_the_audit_trail_with_both_sides(acme: Tenant, platform: Any) -> None:
    admin = platform()
    admin.patch("/tenants/acme", {"max_running": 4})
    admin.patch("/tenants/acme", {"max_running": 4})
    entry = AuditEntry.objects.get(action="tenant.change")
    assert (entry.object_id, entry.tenant, entry.address) == ("acme", acme, "127.0.0.1")
    assert entry.actor == admin.get("/me").body["actor"]
    assert entry.before == {"name": "", "plan": "basic"}
    assert entry.after == {"name": "", "plan": "basic", "max_running": 4}


def test_tenants_are_listed_newest_first_in_pages(
    acme: Tenant, other: Tenant, platform: Any
) -> None:
    admin = platform()
    page = admin.get("/tenants", limit=2).body
    assert [item["slug"] for item in page["items"]] == ["other", "acme"]
    rest = admin.get("/tenants", limit=2, cursor=page["next_cursor"]).body
    assert ([item["slug"] for item in rest["items"]], rest["next_cursor"]) == (["default"], None)


@pytest.mark.parametrize("slug", ["nobody", "ACME", "%00", "x" * 300])
def test_an_unknown_tenant_is_404(slug: str, acme: Tenant, platform: Any) -> None:
    answers = [platform().get(f"/tenants/{slug}"), platform().patch(f"/tenants/{slug}", {})]
    assert [(one.status, one.body["detail"]) for one in answers] == [(404, "Not found.")] * 2


def test_a_plan_can_be_named_as_soon_as_there_is_one() -> None:
    assert set(get_args(PlanName)) == set(PLANS)


# --- who ----------------------------------------------------------------------------------


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), TENANT_CALLS)
def test_a_tenants_token_reaches_no_tenant_not_even_its_own(
    method: str, path: str, needed: Scope, body: object, _: object, granted: Scope, acme: Tenant,
    caller_of: MakeCaller,
) -> None:  # fmt: skip
    for slug in ("acme", "nobody"):
        answer = call(caller_of(acme, [granted]), method, path.replace("{id}", slug), body)
        assert (answer.status, answer.headers["Content-Type"]) == (403, PROBLEM)
    assert not Tenant.objects.filter(slug="newcomer").exists()
    acme.refresh_from_db()
    assert acme.plan_name == "basic"


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), TENANT_CALLS)
def test_a_call_without_a_token_is_401(
    method: str, path: str, needed: object, body: object, _: object, db: None
) -> None:
    assert call(Caller(), method, path.replace("{id}", "default"), body).status == 401


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), TENANT_CALLS)
def test_a_platform_admin_may_all_of_it(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant, platform: Any
) -> None:
    answer = call(platform(), method, path.replace("{id}", "acme"), body)
    assert answer.status == (201 if method == "POST" else 200)


@pytest.mark.parametrize(("method", "path", "needed", "body", "_"), ACCESS_CALLS)
def test_every_answer_is_as_described(
    method: str, path: str, needed: object, body: object, _: object, acme: Tenant, platform: Any
) -> None:
    token = issued(acme)
    target = str(token.pk) if "tokens" in path else "acme"
    answer = call(platform("acme"), method, path.replace("{id}", target), body)
    item = next(
        item for name, item in schema()["paths"].items()
        if re.sub(r"\{\w+\}", "{id}", name) == f"/api/v1{path}"
    )  # fmt: skip
    described = item[method.lower()]["responses"][str(answer.status)]
    if answer.status != 204:
        check(answer.body, described["content"]["application/json"]["schema"])


def test_a_signed_in_admin_of_a_tenant_is_refused_and_a_superuser_is_not(acme: Tenant) -> None:
    admin = get_user_model().objects.create_user("eve", is_staff=True)
    Membership.objects.create(user=admin, tenant=acme, role="admin")
    root = get_user_model().objects.create_superuser("root")
    statuses = []
    for user in (admin, root):
        browser = Client()
        browser.force_login(user)
        statuses.append(browser.get("/api/v1/tenants").status_code)
    assert statuses == [403, 200]
