"""Who is calling, and for which tenant."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import ApiToken, Tenant
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
    name = ApiToken.objects.get().name
    assert body == {
        "kind": "token",
        "name": name,
        "actor": f"token:{name}",
        "tenant": "acme",
        "scopes": ["jobs:read"],
        "owner": "eve",
    }


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


def signed_in(*, is_staff: bool, csrf_checks: bool = True) -> Client:
    user = get_user_model().objects.create_user("eve", password="x", is_staff=is_staff)
    client = Client(enforce_csrf_checks=csrf_checks)
    client.force_login(user)
    return client


@pytest.mark.django_db
def test_a_signed_in_member_of_the_staff_acts_as_platform_admin() -> None:
    body = signed_in(is_staff=True).get("/api/v1/me").json()
    assert (body["kind"], body["actor"], body["tenant"]) == ("session", "user:eve", "default")


@pytest.mark.django_db
def test_a_signed_in_person_who_is_not_staff_is_nobody_to_the_api() -> None:
    assert signed_in(is_staff=False).get("/api/v1/me").status_code == 401


@pytest.mark.django_db
def test_a_session_writes_only_with_the_csrf_token() -> None:
    client = signed_in(is_staff=True)
    body = json.dumps(JOB)
    refused = client.post("/api/v1/jobs", body, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, PROBLEM)
    client.get("/admin/")
    client.get("/admin/password_change/")
    token = client.cookies["csrftoken"].value
    made = client.post(
        "/api/v1/jobs", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert made.status_code == 201
    assert made.json()["created_by"] == "user:eve"


@pytest.mark.django_db
def test_a_bad_token_is_refused_although_a_session_is_there() -> None:
    client = signed_in(is_staff=True)
    answer = client.get("/api/v1/me", headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401
