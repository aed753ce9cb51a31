"""The form of an endpoint, and its secrets."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs.secret import opened
from tests.admin.conftest import SUPERUSER, Browser
from tests.admin.jobs_around import queues, text_of
from tests.admin.webhooks_around import ENDPOINTS, EVE, made, page_of
from webhooks import secrets, verbs
from webhooks.models import Endpoint

NEAR = "127.0.0.1:9"
URL = f"http://{NEAR}/hook"


@pytest.fixture(autouse=True)
def _around(db: None, settings: Settings) -> None:
    """With an address that needs no name to be looked up."""
    queues()
    settings.EGRESS_ALLOW = [NEAR]


def hidden(text: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found
    return found[1]


def add(client: Client, **fields: Any) -> HttpResponse:
    page = text_of(client.get(f"{ENDPOINTS}add/"))
    given = {"once": hidden(page, "once"), "url": URL, "enabled": "on", **fields}
    answer = client.post(f"{ENDPOINTS}add/", given)
    assert isinstance(answer, HttpResponse)
    return answer


def edit(client: Client, endpoint: Endpoint, **fields: Any) -> HttpResponse:
    """As a browser sends the form back with these fields changed."""
    page = client.get(page_of(endpoint, "edit"))
    form = page.context["form"]
    given = {name: form[name].value() for name in form.fields}
    given = {name: "" if value is None else value for name, value in given.items()}
    rows = page.context["headers"]
    given |= {
        "header_name": [row.name for row in rows], "header_value": [row.value for row in rows],
    }  # fmt: skip
    answer = client.post(page_of(endpoint, "edit"), given | fields)
    assert isinstance(answer, HttpResponse)
    return answer


def test_a_new_endpoint_shows_its_secret_this_once(acme: Tenant, browser: Browser) -> None:
    admin = browser(Role.ADMIN)
    answer = add(
        admin, description="the shop\r\nin town", events=["job.failed"], queues=["mail"],
        types=["diagnostics.echo"], header_name=["X-Key", ""], header_value=["k", ""],
        timeout_seconds="9", retry="backoff", max_attempts="5", backoff_seconds="1.5",
    )  # fmt: skip
    row = Endpoint.objects.get()
    (secret,) = secrets.signing(acme.pk, row)
    assert answer.status_code == 200
    assert secret in text_of(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert secret not in text_of(admin.get(page_of(row)))
    assert (row.tenant, row.url, row.description) == (acme, URL, "the shop\nin town")
    assert (row.events, row.types, row.queues) == (["job.failed"], ["diagnostics.echo"], ["mail"])
    assert {name: opened(value) for name, value in row.headers.items()} == {"X-Key": "k"}
    assert (row.timeout_seconds, row.retry) == (9, {"max_attempts": 5, "backoff_seconds": 1.5})
    assert AuditEntry.objects.get(action="endpoint.create").actor == "user:the-admin"


def test_loaded_again_the_page_with_the_secret_makes_nothing_more(
    acme: Tenant, browser: Browser
) -> None:
    admin = browser(Role.ADMIN)
    given = {"once": hidden(text_of(admin.get(f"{ENDPOINTS}add/")), "once"), "url": URL}
    assert admin.post(f"{ENDPOINTS}add/", given).status_code == 200
    assert admin.post(f"{ENDPOINTS}add/", given).status_code == 302
    assert Endpoint.objects.count() == 1
    assert "done already" in text_of(admin.get(ENDPOINTS))


@pytest.mark.parametrize(
    ("fields", "place", "word"),
    [
        ({"url": ""}, "id_url_error", "is empty"),
        ({"url": "ftp://example.com"}, "id_url_error", "http"),
        ({"url": "http://169.254.169.254/"}, "id_url_error", ""),
        ({"url": "http://user:pass@example.com/"}, "id_url_error", ""),
        ({"description": "x" * 2_001}, "id_description_error", "2,000"),
        ({"events": ["job.exploded"]}, "id_events_error", "job.exploded"),
        ({"types": ["webhooks.deliver"]}, "id_types_error", "webhooks.deliver"),
        ({"queues": ["webhooks"]}, "id_queues_error", "webhooks"),
        ({"timeout_seconds": "31"}, "id_timeout_seconds_error", "1 to 30"),
        ({"retry": "backoff", "max_attempts": "51"}, "id_max_attempts_error", "1 to 50"),
        ({"retry": "backoff", "max_seconds": "0"}, "id_max_seconds_error", "1 to"),
        ({"retry": "schedule", "schedule": "5, soon"}, "id_schedule_error", "seconds"),
        ({"retry": "schedule", "schedule": "9999999"}, "id_schedule_error", "604,800"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_is_refused_is_said_beside_its_field(
    fields: dict[str, Any], place: str, word: str, acme: Tenant, browser: Browser
) -> None:
    text = text_of(add(browser(Role.ADMIN), **fields))
    told = text.partition(f'id="{place}"')[2].partition("</ul>")[0]
    assert "<li>" in told
    assert word in told
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("Host", "x", "is not yours to set"),
        ("webhook-id", "x", "is not yours to set"),
        ("X-A\r\nX-B", "x", "is no name of a header"),
        ("X-A", "one\r\ntwo", "printable ASCII"),
        ("X-A", "é", "printable ASCII"),
        ("X-A", "***", "only stands for a secret"),
        ("", "x", "has no name"),
        ("<script>alert(1)</script>", "x", "is no name of a header"),
    ],
)
def test_a_header_that_is_refused_is_told_beside_its_row(
    name: str, value: str, word: str, acme: Tenant, browser: Browser
) -> None:
    text = text_of(
        add(browser(Role.ADMIN), header_name=["X-Good", name], header_value=["1", value])
    )
    rows = text.split("data-header>")[1:]
    assert word not in rows[0]
    assert word in rows[1]
    assert "<script>alert" not in text
    assert not Endpoint.objects.exists()


def test_the_same_header_twice_is_refused(acme: Tenant, browser: Browser) -> None:
    text = text_of(add(browser(Role.ADMIN), header_name=["X-A", "X-A"], header_value=["1", "2"]))
    assert text.count("<li>the same name twice</li>") == 2


def test_only_what_was_changed_is_changed_and_hidden_values_stay(
    acme: Tenant, browser: Browser
) -> None:
    endpoint = made(
        acme, headers={"X-Key": "keep", "X-Old": "drop"}, retry={"schedule": [5, 60]},
        events=["job.failed"], timeout_seconds=7,
    )  # fmt: skip
    admin = browser(Role.ADMIN)
    assert "keep" not in text_of(admin.get(page_of(endpoint, "edit"))).partition("<form")[2]
    answer = edit(
        admin, endpoint, description="new words", header_name=["X-Key", "", "X-New"],
        header_value=["***", "***", "n"],
    )  # fmt: skip
    assert answer.status_code == 302
    row = Endpoint.objects.get()
    assert {name: opened(value) for name, value in row.headers.items()} == {
        "X-Key": "keep", "X-New": "n",
    }  # fmt: skip
    assert (row.retry, row.events, row.timeout_seconds) == (
        {"schedule": [5, 60]},
        ["job.failed"],
        7,
    )
    entry = AuditEntry.objects.get(action="endpoint.change")
    assert set(entry.after or {}) == {"description", "headers"}


def test_a_form_sent_back_as_it_is_changes_nothing(acme: Tenant, browser: Browser) -> None:
    endpoint = made(acme, headers={"X-Key": "k"}, retry={"max_attempts": 4, "max_seconds": 60})
    assert edit(browser(Role.ADMIN), endpoint).status_code == 302
    assert not AuditEntry.objects.filter(action="endpoint.change").exists()


def test_a_form_that_was_overtaken_is_refused(acme: Tenant, browser: Browser) -> None:
    endpoint, admin = made(acme), browser(Role.ADMIN)
    seen = endpoint.updated_at.isoformat()
    verbs.change(endpoint, {"description": "theirs"}, EVE)
    text = text_of(edit(admin, endpoint, description="mine", seen=seen))
    assert "Somebody changed it meanwhile" in text
    assert Endpoint.objects.get().description == "theirs"


def test_editing_never_switches_an_endpoint_on_again(acme: Tenant, browser: Browser) -> None:
    endpoint = made(acme, enabled=False)
    assert edit(browser(Role.ADMIN), endpoint, enabled="on", description="x").status_code == 302
    row = Endpoint.objects.get()
    assert (row.enabled, row.description) == (False, "x")


def test_more_endpoints_than_the_tenant_may_have_are_refused(
    acme: Tenant, browser: Browser, settings: Settings
) -> None:
    settings.WEBHOOK_ENDPOINTS_PER_TENANT = 1
    made(acme)
    assert "as many as it may" in text_of(add(browser(Role.ADMIN)))


def test_a_platform_admin_chooses_the_tenant(acme: Tenant, other: Tenant, browser: Browser) -> None:
    client = browser(SUPERUSER)
    assert 'name="tenant" value="other"' in text_of(client.get(f"{ENDPOINTS}add/?tenant=other"))
    add(client, tenant="other")
    assert Endpoint.objects.get().tenant == other


def test_a_rotated_secret_is_shown_once_and_the_one_before_signs_as_well(
    acme: Tenant, browser: Browser
) -> None:
    endpoint, admin = made(acme), browser(Role.ADMIN)
    place = page_of(endpoint, "rotate")
    given = {"once": hidden(text_of(admin.get(place)), "once"), "keep_for": "3600"}
    answer = admin.post(place, given)
    newest, _before = secrets.signing(acme.pk, endpoint)
    assert newest in text_of(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert admin.post(place, given).status_code == 302  # loaded again
    assert len(secrets.signing(acme.pk, endpoint)) == 2
    entry = AuditEntry.objects.get(action="endpoint.rotate_secret")
    assert newest not in str((entry.before, entry.after))


def test_a_secret_that_leaked_signs_no_more(acme: Tenant, browser: Browser) -> None:
    endpoint = made(acme)
    browser(Role.ADMIN).post(page_of(endpoint, "rotate"), {"keep_for": "0"})
    assert len(secrets.signing(acme.pk, endpoint)) == 1


def test_the_secret_of_the_own_urls_of_jobs_is_replaced(acme: Tenant, browser: Browser) -> None:
    admin = browser(Role.ADMIN)
    answer = admin.post(f"{ENDPOINTS}own-secret/", {"tenant": "acme", "keep_for": "0"})
    brought = Endpoint.objects.create(tenant=acme, url="https://x.example", is_of_jobs=True)
    (secret,) = secrets.signing(acme.pk, brought)
    assert secret in text_of(answer)
    assert AuditEntry.objects.filter(action="webhook_secret.rotate", tenant=acme).exists()
