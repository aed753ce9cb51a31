"""Who is calling, and for which tenant."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiToken, Membership, Tenant
from accounts.roles import Role
from accounts.scopes import Scope
from jobs.models import Job
from tests.api import kinds
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob

JOB = {"type": kinds.report.name, "payload": {"report_id": 1}}


def refused_as_anybody(answer: Answer) -> bool:
    return (
        answer.status == 401
        and answer.headers["WWW-Authenticate"] == "Bearer"
        and answer.headers["Content-Type"] == PROBLEM
        and answer.body == Caller().get("/me").body
    )


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer cel_" + "0" * 32 + "_" + "0" * 64,
        "Bearer " + "x" * 5000,
        "Bearer é",
        "Basic YWRtaW46YWRtaW4=",
        "Token {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer  {token}",
    ],
)
def test_every_wrong_credential_gets_the_same_answer(header: str, caller: Caller) -> None:
    value = header.replace("{token}", caller.token)
    assert refused_as_anybody(Caller(headers={"Authorization": value}).get("/me"))


@pytest.mark.parametrize(
    "change",
    [
        {"revoked_at": timezone.now()},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_a_revoked_or_expired_token_gets_that_answer_too(
    change: dict[str, object], caller: Caller
) -> None:
    assert caller.get("/me").status == 200
    ApiToken.objects.update(**change)
    assert refused_as_anybody(caller.get("/me"))


def test_a_token_in_the_address_is_not_looked_at(caller: Caller) -> None:
    assert refused_as_anybody(Caller().get("/me", token=caller.token))
    assert caller.get("/me", access_token="x").pointers == ["/access_token"]


def test_me_tells_a_token_what_it_is(acme: Tenant, caller_of: MakeCaller) -> None:
    body = caller_of(acme, [Scope.JOBS_READ], owner="eve").get("/me").body
    token = ApiToken.objects.get()
    name = token.name
    assert body == {
        "kind": "token",
        "name": name,
        "actor": f"token:{name}",
        "tenant": "acme",
        "scopes": ["jobs:read"],
        "owner": "eve",
        "tenants": [],
        "token_id": str(token.pk),
        "expires_at": None,
        "plan": "basic",
    }


def test_me_tells_when_a_token_ends(acme: Tenant, caller_of: MakeCaller) -> None:
    caller = caller_of(acme)
    ApiToken.objects.update(expires_at=datetime(2999, 1, 1, tzinfo=UTC))
    assert caller.get("/me").body["expires_at"] == "2999-01-01T00:00:00.000000Z"


def test_the_setting_admin_api_token_is_a_platform_admin(acme: Tenant, settings: Settings) -> None:
    settings.ADMIN_API_TOKEN = "boot-strap-é"
    body = Caller(token="boot-strap-é".encode().decode("latin-1")).get("/me").body
    assert body["status"] == 401  # as text it must match; headers are Latin-1
    settings.ADMIN_API_TOKEN = "boot-strap"
    body = Caller(token="boot-strap", headers={"X-Tenant": "acme"}).get("/me").body
    assert (body["kind"], body["tenant"]) == ("platform", "acme")


def test_an_unset_admin_api_token_admits_nobody(settings: Settings, db: None) -> None:
    settings.ADMIN_API_TOKEN = ""
    assert Caller(headers={"Authorization": "Bearer "}).get("/me").status == 401


# --- X-Tenant ---


def test_a_platform_admin_acts_for_the_tenant_it_names(
    acme: Tenant, platform: Callable[..., Caller]
) -> None:
    assert platform().get("/me").body["tenant"] == "default"
    assert platform("acme").get("/me").body["tenant"] == "acme"
    made = platform("acme").post("/jobs", JOB)
    assert Job.objects.get(pk=made.body["id"]).tenant == acme


@pytest.mark.parametrize("slug", ["nobody", "", "ACME", "acme ", "acme\x00"])
def test_an_unknown_tenant_is_404(slug: str, acme: Tenant, platform: Callable[..., Caller]) -> None:
    assert platform(slug).get("/me").status == 404


def test_a_platform_admin_reads_all_tenants_and_sees_whose_each_job_is(
    acme: Tenant, other: Tenant, platform: Callable[..., Caller], make_job: MakeJob
) -> None:
    ours, theirs = make_job(acme), make_job(other)
    items = platform("*").get("/jobs").body["items"]
    assert [(item["id"], item["tenant"]) for item in items] == [
        (str(theirs.pk), "other"),
        (str(ours.pk), "acme"),
    ]
    assert platform("*").get(f"/jobs/{ours.pk}").body["tenant"] == "acme"
    assert "tenant" not in platform("acme").get(f"/jobs/{ours.pk}").body


def test_nobody_writes_for_all_tenants(platform: Callable[..., Caller]) -> None:
    assert platform("*").post("/jobs", JOB).pointers == ["/X-Tenant"]
    assert not Job.objects.exists()


@pytest.mark.parametrize(("slug", "status"), [("acme", 200), ("other", 403), ("*", 403)])
def test_a_tenants_token_names_its_own_tenant_or_none(
    slug: str, status: int, caller: Caller, other: Tenant
) -> None:
    answer = Caller(token=caller.token, headers={"X-Tenant": slug}).get("/me")
    assert answer.status == status


def test_to_a_tenants_token_an_unknown_tenant_and_another_are_the_same(
    caller: Caller, other: Tenant
) -> None:
    answers = [
        Caller(token=caller.token, headers={"X-Tenant": slug}).get("/me")
        for slug in ("other", "nobody")
    ]
    assert answers[0].body == answers[1].body


# --- browser sessions ---

SESSION_ROLES = ("viewer", "operator", "admin")


def person(role: str = "", *tenants: Tenant, **columns: Any) -> User:
    """Eve, staff, with this role in each of the tenants."""
    columns.setdefault("is_staff", True)
    user = get_user_model().objects.create_user("eve", **columns)
    for tenant in tenants:
        Membership.objects.create(user=user, tenant=tenant, role=role)
    return user


def signed_in(user: User, *, csrf_checks: bool = False) -> Client:
    client = Client(enforce_csrf_checks=csrf_checks)
    client.force_login(user)
    return client


def me(client: Client, tenant: str | None = None) -> Any:
    headers = {} if tenant is None else {"X-Tenant": tenant}
    return client.get("/api/v1/me", headers=headers)


def handed_in(client: Client, **headers: str) -> int:
    body = json.dumps(JOB)
    answer = client.post(
        "/api/v1/jobs", body, content_type="application/json", headers=headers or None
    )
    return answer.status_code


@pytest.mark.django_db
def test_a_signed_in_superuser_acts_as_platform_admin(acme: Tenant) -> None:
    client = signed_in(person(is_superuser=True))
    body = me(client).json()
    assert (body["kind"], body["actor"], body["tenant"]) == ("session", "user:eve", "default")
    assert me(client, "acme").json()["tenant"] == "acme"
    assert me(client, "*").json()["tenant"] is None


@pytest.mark.parametrize(
    "columns",
    [
        {"is_staff": False},
        {"is_staff": True},
        {"is_staff": False, "is_superuser": True},
        {"is_superuser": True, "is_active": False},
    ],
)
@pytest.mark.django_db
def test_a_signed_in_person_without_a_role_is_nobody_to_the_api(columns: Any) -> None:
    assert me(signed_in(person(**columns))).status_code == 401


@pytest.mark.parametrize("role", SESSION_ROLES)
def test_a_member_acts_by_role_in_his_tenant(role: str, acme: Tenant) -> None:
    body = me(signed_in(person(role, acme))).json()
    assert (body["kind"], body["actor"], body["tenant"]) == ("session", "user:eve", "acme")
    assert set(body["scopes"]) == Role(role).scopes


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 201), ("admin", 201)])
def test_operators_hand_in_jobs_and_viewers_do_not(role: str, status: int, acme: Tenant) -> None:
    assert handed_in(signed_in(person(role, acme))) == status
    assert [job.created_by for job in Job.objects.all()] == ["user:eve"] * (status == 201)


def test_a_member_of_two_tenants_names_one(acme: Tenant, other: Tenant) -> None:
    client = signed_in(person("operator", other, acme))
    assert me(client, "other").json()["tenant"] == "other"
    assert handed_in(client, **{"X-Tenant": "other"}) == 201
    assert Job.objects.get().tenant == other


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/jobs"), ("post", "/jobs"), ("get", f"/jobs/{UUID(int=1)}"), ("get", "/workers")],
)
def test_a_member_of_two_tenants_who_names_none_does_nothing(
    method: str, path: str, acme: Tenant, other: Tenant
) -> None:
    """Another tenant's admin may add anybody; nobody's calls go elsewhere by that."""
    client = signed_in(person("admin", acme, other))
    answer = getattr(client, method)(f"/api/v1{path}", JOB, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (422, PROBLEM)
    [error] = answer.json()["errors"]
    assert error["pointer"] == "/X-Tenant"
    assert not Job.objects.exists()


def test_me_lists_a_members_tenants_of_which_to_name_one(acme: Tenant, other: Tenant) -> None:
    client = signed_in(person("admin", other, acme))
    body = me(client).json()
    assert (body["tenant"], body["scopes"], body["tenants"]) == (None, [], ["acme", "other"])
    assert me(client, "other").json()["tenants"] == ["acme", "other"]


@pytest.mark.parametrize("slug", ["nobody", "default", "*", "", "acme\x00", "ACME"])
def test_a_member_of_two_tenants_reaches_no_third(slug: str, acme: Tenant, other: Tenant) -> None:
    client = signed_in(person("admin", acme, other))
    assert me(client, slug).status_code == 403
    assert client.get("/api/v1/jobs", headers={"X-Tenant": slug}).status_code == 403


def test_the_role_is_that_of_the_tenant_named(acme: Tenant, other: Tenant) -> None:
    user = person("viewer", acme)
    Membership.objects.create(user=user, tenant=other, role="operator")
    client = signed_in(user)
    assert handed_in(client, **{"X-Tenant": "acme"}) == 403
    assert handed_in(client, **{"X-Tenant": "other"}) == 201


@pytest.mark.parametrize("slug", ["other", "nobody", "default", "*", "", "acme\x00", "ACME"])
def test_a_member_reaches_no_tenant_but_his(slug: str, acme: Tenant, other: Tenant) -> None:
    assert me(signed_in(person("admin", acme)), slug).status_code == 403


def test_a_members_jobs_are_his_tenants(acme: Tenant, other: Tenant, make_job: MakeJob) -> None:
    ours, theirs = make_job(acme), make_job(other)
    client = signed_in(person("admin", acme))
    listed = client.get("/api/v1/jobs").json()["items"]
    assert [job["id"] for job in listed] == [str(ours.pk)]
    assert client.get(f"/api/v1/jobs/{theirs.pk}").status_code == 404


def test_a_changed_role_acts_at_the_next_request(acme: Tenant) -> None:
    client = signed_in(person("operator", acme))
    assert handed_in(client) == 201
    Membership.objects.update(role="viewer")
    assert handed_in(client) == 403
    Membership.objects.all().delete()
    assert handed_in(client) == 401


def test_a_deactivated_person_is_nobody_at_the_next_request(acme: Tenant) -> None:
    user = person("admin", acme)
    client = signed_in(user)
    assert me(client).status_code == 200
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)
    assert me(client).status_code == 401


def test_a_session_writes_only_with_the_csrf_token(acme: Tenant) -> None:
    client = signed_in(person("operator", acme), csrf_checks=True)
    body = json.dumps(JOB)
    refused = client.post("/api/v1/jobs", body, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, PROBLEM)
    client.get("/admin/password_change/")
    token = client.cookies["csrftoken"].value
    assert handed_in(client, **{"X-CSRFToken": token}) == 201


def test_a_bad_token_is_refused_although_a_session_is_there(acme: Tenant) -> None:
    client = signed_in(person("admin", acme))
    answer = client.get("/api/v1/me", headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401
