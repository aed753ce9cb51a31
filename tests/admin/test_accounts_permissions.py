"""Who may open what, and who may do what, on every page of accounts: by address, not by button."""

from __future__ import annotations

import logging
from collections.abc import Callable
from logging.handlers import BufferingHandler
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.test import AsyncClient, Client
from django.urls import reverse

from accounts import audit, tokens
from accounts.models import ApiToken, AuditEntry, Membership, Tenant
from accounts.scopes import Scope
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser, person

Rows = dict[str, tuple[Any, Any]]  # by page: acme's row, the other tenant's

ASIDE, GONE, SHUT, OPEN = 302, 404, 403, 200


@pytest.fixture
def rows(acme: Tenant, other: Tenant) -> Rows:
    def of(tenant: Tenant) -> tuple[Any, ...]:
        somebody = person(f"somebody-{tenant.slug}", tenant, "viewer")
        issued = tokens.issue(name="ci", tenant=tenant, scopes=[Scope.JOBS_READ])
        entry = AuditEntry.objects.get(object_id=str(issued.token.pk))
        return tenant, somebody.memberships.get(), issued.token, entry, somebody

    pages = ("tenant", "membership", "apitoken", "auditentry", "user")
    return {
        page: (ours, theirs) for page, ours, theirs in zip(pages, of(acme), of(other), strict=True)
    }


def address(page: str, what: str, *arguments: Any) -> str:
    app = "auth" if page == "user" else "accounts"
    return reverse(f"admin:{app}_{page}_{what}", args=arguments)


# What a signed-in member of the staff meets: no membership, viewer, operator, admin, superuser.
GRID: dict[str, dict[str, tuple[int, int, int, int, int]]] = {
    "tenant": {
        "list": (SHUT, OPEN, OPEN, OPEN, OPEN),
        "add": (SHUT, SHUT, SHUT, SHUT, OPEN),
        "change": (SHUT, OPEN, OPEN, OPEN, OPEN),
        "change theirs": (SHUT, GONE, GONE, GONE, OPEN),
        "delete": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "delete theirs": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "history": (GONE, ASIDE, ASIDE, ASIDE, ASIDE),
        "history theirs": (GONE, GONE, GONE, GONE, ASIDE),
    },
    "membership": {
        "list": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "add": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "change": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "change theirs": (SHUT, SHUT, SHUT, GONE, OPEN),
        "delete": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "delete theirs": (SHUT, SHUT, SHUT, GONE, OPEN),
        "history": (GONE, GONE, GONE, ASIDE, ASIDE),
        "history theirs": (GONE, GONE, GONE, GONE, ASIDE),
    },
    "apitoken": {
        "list": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "add": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "change": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "change theirs": (SHUT, SHUT, SHUT, GONE, OPEN),
        "delete": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "delete theirs": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "history": (GONE, GONE, GONE, ASIDE, ASIDE),
        "history theirs": (GONE, GONE, GONE, GONE, ASIDE),
    },
    "auditentry": {
        "list": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "add": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "change": (SHUT, SHUT, SHUT, OPEN, OPEN),
        "change theirs": (SHUT, SHUT, SHUT, GONE, OPEN),
        "delete": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "delete theirs": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "history": (GONE, GONE, GONE, GONE, GONE),
        "history theirs": (GONE, GONE, GONE, GONE, GONE),
    },
    "user": {
        "list": (SHUT, SHUT, SHUT, SHUT, OPEN),
        "add": (SHUT, SHUT, SHUT, SHUT, OPEN),
        "change": (SHUT, SHUT, SHUT, SHUT, OPEN),
        "change theirs": (SHUT, SHUT, SHUT, SHUT, OPEN),
        "delete": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "delete theirs": (SHUT, SHUT, SHUT, SHUT, SHUT),
        "history": (SHUT, SHUT, SHUT, SHUT, ASIDE),
        "history theirs": (SHUT, SHUT, SHUT, SHUT, ASIDE),
    },
}


def opened(client: Client, page: str, what: str, rows: Rows) -> int:
    verb, _, theirs = what.partition(" ")
    if verb in ("list", "add"):
        url = address(page, {"list": "changelist"}.get(verb, verb))
    else:
        url = address(page, verb, rows[page][1 if theirs else 0].pk)
    return client.get(url).status_code


@pytest.mark.parametrize("page", GRID)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (ANONYMOUS, PLAIN)])
def test_each_page_opens_to_whom_it_should(
    kind: str, page: str, rows: Rows, browser: Browser
) -> None:
    client = browser(kind)
    column = (STAFF, "viewer", "operator", "admin", SUPERUSER).index(kind)
    met = {what: opened(client, page, what, rows) for what in GRID[page]}
    assert met == {what: expected[column] for what, expected in GRID[page].items()}


@pytest.mark.parametrize("page", GRID)
@pytest.mark.parametrize("kind", [ANONYMOUS, PLAIN])
def test_who_is_not_staff_is_asked_to_sign_in_everywhere(
    kind: str, page: str, rows: Rows, browser: Browser
) -> None:
    client = browser(kind)
    for what in GRID[page]:
        verb, _, theirs = what.partition(" ")
        row = rows[page][1 if theirs else 0]
        url = (
            address(page, {"list": "changelist"}.get(verb, verb))
            if verb in ("list", "add")
            else address(page, verb, row.pk)
        )
        assert client.get(url).headers["Location"].startswith(reverse("admin:login"))


# --- posted by hand ---

FORMS: dict[str, dict[str, Any]] = {
    "tenant": {"slug": "new", "name": "New", "plan_name": "enterprise"},
    "membership": {"person": "somebody-other", "role": "admin"},
    "apitoken": {"name": "mine", "scopes": ["jobs:read"], "valid": "30"},
    "user": {"username": "new", "is_superuser": "on", "usable_password": "false"},
    "auditentry": {"actor": "user:eve"},
}
MAY_ADD = {
    "tenant": {SUPERUSER},
    "membership": {"admin", SUPERUSER},
    "apitoken": {"admin", SUPERUSER},
    "user": {SUPERUSER},
    "auditentry": set[str](),
}


def everything() -> list[Any]:
    models = (Tenant, Membership, ApiToken)
    return [list(model.objects.order_by("pk").values()) for model in models]


@pytest.mark.parametrize("page", FORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_adding_by_hand_takes_the_right(
    kind: str, page: str, rows: Rows, acme: Tenant, browser: Browser
) -> None:
    client = browser(kind)
    before = everything()
    tenant = {} if page in ("tenant", "user") else {"tenant": acme.pk}
    answer = client.post(address(page, "add"), {**FORMS[page], **tenant})
    if kind in MAY_ADD[page]:
        assert answer.status_code in (OPEN, ASIDE)
    else:
        assert answer.status_code == (ASIDE if kind in (ANONYMOUS, PLAIN) else SHUT)
        assert everything() == before


@pytest.mark.parametrize("page", ["membership", "apitoken"])
def test_nobody_adds_to_a_tenant_that_is_not_his(
    page: str, rows: Rows, other: Tenant, browser: Browser
) -> None:
    client = browser("admin")
    before = everything()
    answer = client.post(address(page, "add"), {**FORMS[page], "tenant": other.pk})
    assert answer.status_code == OPEN  # the form again, with what is wrong
    assert b"Select a valid choice" in answer.content
    assert everything() == before


@pytest.mark.parametrize("page", FORMS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != SUPERUSER])
def test_nobody_changes_or_removes_another_tenants_rows(
    kind: str, page: str, rows: Rows, browser: Browser
) -> None:
    client = browser(kind)
    before = everything()
    theirs = rows[page][1]
    for what, body in (("change", FORMS[page]), ("delete", {"post": "yes"})):
        answer = client.post(address(page, what, theirs.pk), body)
        assert answer.status_code in (ASIDE,) if kind in (ANONYMOUS, PLAIN) else (SHUT, GONE)
    assert everything() == before


REVOKING: dict[str, Callable[[Any], tuple[str, dict[str, Any]]]] = {
    "button": lambda token: (reverse("admin:accounts_apitoken_revoke", args=[token.pk]), {}),
    "in bulk": lambda token: (
        address("apitoken", "changelist"),
        {"action": "revoke_selected", "_selected_action": [str(token.pk)]},
    ),
    "in bulk, all": lambda token: (
        address("apitoken", "changelist"),
        {"action": "revoke_selected", "select_across": "1", "_selected_action": [str(token.pk)]},
    ),
}


@pytest.mark.parametrize("way", REVOKING)
@pytest.mark.parametrize("kind", KINDS)
def test_only_admins_revoke_and_only_their_tenants_tokens(
    kind: str, way: str, rows: Rows, browser: Browser
) -> None:
    client = browser(kind)
    for token in rows["apitoken"]:
        client.post(*REVOKING[way](token))
    revoked = set(ApiToken.objects.exclude(revoked_at=None).values_list("tenant__slug", flat=True))
    assert revoked == {"admin": {"acme"}, SUPERUSER: {"acme", "other"}}.get(kind, set())


def test_a_token_is_not_revoked_by_following_a_link(rows: Rows, browser: Browser) -> None:
    ours = rows["apitoken"][0]
    browser("admin").get(reverse("admin:accounts_apitoken_revoke", args=[ours.pk]))
    assert ApiToken.objects.get(pk=ours.pk).revoked_at is None


@pytest.mark.parametrize("page", GRID)
@pytest.mark.parametrize("kind", ["admin", SUPERUSER])
def test_nothing_is_deleted_in_bulk(kind: str, page: str, rows: Rows, browser: Browser) -> None:
    client = browser(kind)
    before = everything()
    body = {"action": "delete_selected", "_selected_action": [str(rows[page][0].pk)], "post": "yes"}
    client.post(address(page, "changelist"), body)
    assert everything() == before


# --- sideways ---


def test_lists_show_the_own_tenants_rows_only(rows: Rows, browser: Browser) -> None:
    client = browser("admin")
    for page in ("tenant", "membership", "apitoken", "auditentry"):
        shown = client.get(address(page, "changelist")).content.decode()
        ours, theirs = rows[page]
        assert f"/{ours.pk}/change/" in shown
        assert f"/{theirs.pk}/change/" not in shown


def test_a_tenants_admin_sees_no_entry_of_the_platform(rows: Rows, browser: Browser) -> None:
    with transaction.atomic():
        entry = audit.record(
            actor="user:root", action="queue.pause", object_type="queue", object_id=1, tenant=None
        )
    page = address("auditentry", "change", entry.pk)
    assert browser("admin").get(page).status_code == GONE
    assert browser(SUPERUSER).get(page).status_code == OPEN


@pytest.mark.parametrize("field", ["user", "tenant"])
def test_autocompletion_tells_nobody_who_else_there_is(
    field: str, rows: Rows, browser: Browser
) -> None:
    named = {"app_label": "accounts", "model_name": "membership", "field_name": field, "term": ""}
    answer = browser("admin").get(reverse("admin:autocomplete"), named)
    assert b"somebody-other" not in answer.content
    assert b'"other"' not in answer.content


@pytest.mark.parametrize(
    ("page", "lookup"),
    [
        ("apitoken", "secret_sha256__gt"),
        ("membership", "user__password__startswith"),
        ("membership", "tenant__name__startswith"),
        ("auditentry", "before__icontains"),
        ("user", "password__startswith"),
    ],
)
def test_no_address_asks_how_a_hidden_value_begins(
    page: str, lookup: str, rows: Rows, browser: Browser
) -> None:
    kind = SUPERUSER if page == "user" else "admin"
    assert browser(kind).get(address(page, "changelist"), {lookup: "a"}).status_code == 400


@pytest.mark.parametrize("pk", ["0", "x", "00000000-0000-0000-0000-000000000000", "_00", "_5F"])
@pytest.mark.parametrize("page", ["tenant", "membership", "apitoken", "auditentry"])
def test_an_id_that_names_nothing_is_404(page: str, pk: str, rows: Rows, browser: Browser) -> None:
    assert browser("admin").get(f"{address(page, 'changelist')}{pk}/change/").status_code == GONE


NUL = [
    "accounts/membership/?role=%00",
    "accounts/membership/?tenant=a%00b",
    "accounts/membership/?%00=1",
    "accounts/membership/%00/change/",
    "autocomplete/?app_label=accounts&model_name=apitoken&field_name=tenant&term=%00",
    "auth/user/?q=%00",
    "login/?next=%00",
]


@pytest.mark.parametrize("kind", ["admin", SUPERUSER])
@pytest.mark.parametrize("path", NUL)
def test_no_address_of_the_admin_holds_nul(path: str, kind: str, browser: Browser) -> None:
    """PostgreSQL takes none in a text."""
    assert browser(kind).get(f"{reverse('admin:index')}{path}").status_code == 400


def test_nor_does_one_that_is_served_asynchronously() -> None:
    answer = async_to_sync(AsyncClient().get)("/admin/login/?next=%00")
    assert answer.status_code == 400


@pytest.mark.parametrize("path", ["admin:index", "admin:login", "admin:jobs_job_changelist"])
def test_a_page_of_the_admin_loads_nothing_from_elsewhere(path: str, browser: Browser) -> None:
    """That it works under its policy is for the browser's tests, which fail at any error."""
    policy = browser(SUPERUSER).get(reverse(path), follow=True)["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert "unsafe-inline" not in rules["script-src"]
    assert "*" not in policy
    assert "//" not in policy


def test_a_closed_page_is_one_line_of_the_log(browser: Browser) -> None:
    page = address("apitoken", "changelist")
    logger, lines = logging.getLogger("django.request"), BufferingHandler(100)
    logger.addHandler(lines)
    try:
        browser(STAFF).get(page)
    finally:
        logger.removeHandler(lines)
    [line] = lines.buffer
    assert line.getMessage() == f"Forbidden (Permission denied): {page}"
    assert not line.exc_info


def test_a_changed_role_acts_at_the_next_request(
    acme: Tenant, rows: Rows, browser: Browser
) -> None:
    client = browser("admin")
    mine = Membership.objects.filter(user__username="the-admin")
    assert client.get(address("apitoken", "changelist")).status_code == OPEN
    mine.update(role="viewer")
    assert client.get(address("apitoken", "changelist")).status_code == SHUT
    assert client.get(address("tenant", "change", acme.pk)).status_code == OPEN
    mine.delete()
    assert client.get(address("tenant", "change", acme.pk)).status_code == SHUT


@pytest.mark.parametrize(
    "model",
    ["periodictask", "crontabschedule", "intervalschedule", "clockedschedule", "solarschedule"],
)
def test_celery_beats_pages_are_for_platform_admins(model: str, browser: Browser) -> None:
    for kind in KINDS:
        client = browser(kind)
        answers = {
            client.get(reverse(f"admin:django_celery_beat_{model}_{what}")).status_code
            for what in ("changelist", "add")
        }
        expected = ASIDE if kind in (ANONYMOUS, PLAIN) else OPEN if kind == SUPERUSER else SHUT
        assert answers == {expected}


@pytest.mark.parametrize("model", ["taskresult", "groupresult"])
def test_celerys_results_are_for_platform_admins(model: str, browser: Browser) -> None:
    page = reverse(f"admin:django_celery_results_{model}_changelist")
    for kind in KINDS:
        expected = ASIDE if kind in (ANONYMOUS, PLAIN) else OPEN if kind == SUPERUSER else SHUT
        assert browser(kind).get(page).status_code == expected


def test_groups_have_no_page(browser: Browser) -> None:
    assert browser(SUPERUSER).get("/admin/auth/group/").status_code == GONE
