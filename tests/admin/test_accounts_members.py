"""Members, people and tenants as the admin changes them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Membership, Tenant
from tests.admin.conftest import SUPERUSER, Browser, person

LIST, ADD = "admin:accounts_membership_changelist", "admin:accounts_membership_add"


def add(client: Client, name: str, tenant: Tenant, role: str = "viewer") -> str:
    body = {"person": name, "tenant": tenant.pk, "role": role}
    return client.post(reverse(ADD), body, follow=True).content.decode()


def change(client: Client, member: Membership, role: str) -> str:
    page = reverse("admin:accounts_membership_change", args=[member.pk])
    return client.post(page, {"role": role}, follow=True).content.decode()


def remove(client: Client, member: Membership) -> str:
    page = reverse("admin:accounts_membership_delete", args=[member.pk])
    return client.post(page, {"post": "yes"}, follow=True).content.decode()


def roles(tenant: Tenant) -> dict[str, str]:
    rows = Membership.objects.filter(tenant=tenant).values_list("user__username", "role")
    return dict(rows)


def test_an_admin_adds_changes_and_removes_a_member(acme: Tenant, browser: Browser) -> None:
    client = browser("admin")
    user = person("eve")
    add(client, "eve", acme)
    assert roles(acme)["eve"] == "viewer"
    member = Membership.objects.get(user=user)
    change(client, member, "operator")
    assert roles(acme)["eve"] == "operator"
    remove(client, member)
    assert "eve" not in roles(acme)
    told = AuditEntry.objects.filter(object_type="member").order_by("id")
    assert [(e.action, e.actor, e.object_id, e.before, e.after) for e in told] == [
        ("member.put", "user:the-admin", "eve", None, {"role": "viewer"}),
        ("member.put", "user:the-admin", "eve", {"role": "viewer"}, {"role": "operator"}),
        ("member.remove", "user:the-admin", "eve", {"role": "operator"}, None),
    ]


def test_a_change_to_the_same_role_leaves_no_entry(acme: Tenant, browser: Browser) -> None:
    client = browser("admin")
    person("eve")
    add(client, "eve", acme)
    change(client, Membership.objects.get(user__username="eve"), "viewer")
    assert AuditEntry.objects.filter(action="member.put").count() == 1


@pytest.mark.parametrize("name", ["nobody", "EVE", "ev", "eve ", "root", "gone", "%", "*"])
def test_who_is_not_named_exactly_is_not_added(name: str, acme: Tenant, browser: Browser) -> None:
    """Who may not sign in, or is a superuser, is not for a tenant to let in, and gets the answer of
    one who does not exist."""
    client = browser("admin")
    person("eve")
    person("gone", is_staff=False)
    person("root", is_superuser=True, is_staff=False)
    page = add(client, name, acme)
    if name == "eve ":  # spaces around a name are no part of it
        assert roles(acme)["eve"] == "viewer"
        return
    assert "No such person can be added. A platform admin makes accounts." in page
    assert set(roles(acme)) == {"the-admin"}
    assert not get_user_model().objects.get(username="root").is_staff


def test_a_platform_admin_lets_in_whom_he_adds_with_an_entry(
    acme: Tenant, browser: Browser
) -> None:
    user = person("eve", is_staff=False)
    add(browser(SUPERUSER), "eve", acme)
    user.refresh_from_db()
    assert user.is_staff
    entry = AuditEntry.objects.get(action="person.change")
    assert (entry.actor, entry.object_id, entry.tenant) == ("user:the-superuser", "eve", None)
    assert (entry.before, entry.after) == ({"is_staff": False}, {"is_staff": True})


@pytest.mark.parametrize("kind", ["admin", SUPERUSER])
def test_another_role_lets_nobody_in_again(kind: str, acme: Tenant, browser: Browser) -> None:
    user = person("eve", acme, "viewer", is_staff=False)
    change(browser(kind), user.memberships.get(), "operator")
    assert roles(acme)["eve"] == "operator"
    user.refresh_from_db()
    assert not user.is_staff
    assert not AuditEntry.objects.filter(action="person.change").exists()


def test_a_member_is_not_added_twice(acme: Tenant, browser: Browser) -> None:
    client = browser("admin")
    person("eve", acme, "operator")
    assert "Is a member already" in add(client, "eve", acme)
    assert roles(acme)["eve"] == "operator"


def test_the_person_and_the_tenant_of_a_member_stay(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    member = person("eve", acme, "viewer").memberships.get()
    page = reverse("admin:accounts_membership_change", args=[member.pk])
    root = person("root", is_superuser=True)
    browser("admin").post(
        page, {"role": "admin", "tenant": other.pk, "user": root.pk, "person": "root"}
    )
    member.refresh_from_db()
    assert (member.user.get_username(), member.tenant, member.role) == ("eve", acme, "admin")


def test_a_role_that_does_not_exist_is_refused(acme: Tenant, browser: Browser) -> None:
    member = person("eve", acme, "viewer").memberships.get()
    assert "Select a valid choice" in change(browser("admin"), member, "owner")
    member.refresh_from_db()
    assert member.role == "viewer"


def test_the_last_admin_stays_unless_a_platform_admin_says_so(
    acme: Tenant, browser: Browser
) -> None:
    client = browser("admin")
    mine = Membership.objects.get(user__username="the-admin")
    assert "last admin" in change(client, mine, "viewer")
    assert "last admin" in remove(client, mine)
    assert roles(acme) == {"the-admin": "admin"}
    person("second", acme, "admin")
    change(client, mine, "viewer")
    assert roles(acme)["the-admin"] == "viewer"
    remove(browser(SUPERUSER), Membership.objects.get(user__username="second"))
    assert roles(acme) == {"the-admin": "viewer"}


def test_a_superusers_membership_is_not_a_tenants_to_change(acme: Tenant, browser: Browser) -> None:
    member = person("root", acme, "operator", is_superuser=True).memberships.get()
    client = browser("admin")
    for what, body in (("change", {"role": "viewer"}), ("delete", {"post": "yes"})):
        page = reverse(f"admin:accounts_membership_{what}", args=[member.pk])
        assert client.post(page, body).status_code == 403
    assert roles(acme)["root"] == "operator"


def test_an_admin_of_two_tenants_adds_to_both(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    client = browser("admin")
    admin = get_user_model().objects.get(username="the-admin")
    Membership.objects.create(user=admin, tenant=other, role="admin")
    person("eve")
    add(client, "eve", acme)
    add(client, "eve", other)
    assert (roles(acme)["eve"], roles(other)["eve"]) == ("viewer", "viewer")


def test_an_admin_here_and_viewer_there_adds_here_only(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    client = browser("admin")
    admin = get_user_model().objects.get(username="the-admin")
    theirs = Membership.objects.create(user=admin, tenant=other, role="viewer")
    person("eve")
    add(client, "eve", other)
    change(client, theirs, "admin")
    assert roles(other) == {"the-admin": "viewer"}


# --- tenants ---


def test_a_tenant_is_made_and_changed_with_its_entries(browser: Browser) -> None:
    client = browser(SUPERUSER)
    body = {"slug": "new", "name": "New", "plan_name": "free"}
    client.post(reverse("admin:accounts_tenant_add"), body)
    tenant = Tenant.objects.get(slug="new")
    page = reverse("admin:accounts_tenant_change", args=[tenant.pk])
    for _ in range(2):  # the second time there is nothing to change
        client.post(page, {"slug": "moved", "name": "New", "plan_name": "premium"})
    tenant.refresh_from_db()
    assert (tenant.slug, tenant.plan_name) == ("new", "premium")
    entries = AuditEntry.objects.filter(tenant=tenant).order_by("id")
    assert [(e.action, e.before, e.after) for e in entries] == [
        ("tenant.create", None, {"name": "New", "plan": "free"}),
        ("tenant.change", {"name": "New", "plan": "free"}, {"name": "New", "plan": "premium"}),
    ]


@pytest.mark.parametrize("slug", ["acme", "Caps", "-", "a b", "", "x" * 64, "<b>"])
def test_a_slug_in_use_or_out_of_form_is_refused(slug: str, acme: Tenant, browser: Browser) -> None:
    before = Tenant.objects.count()
    body = {"slug": slug, "name": "", "plan_name": "basic"}
    assert browser(SUPERUSER).post(reverse("admin:accounts_tenant_add"), body).status_code == 200
    assert Tenant.objects.count() == before


def test_a_hostile_name_of_a_tenant_is_text(acme: Tenant, browser: Browser) -> None:
    Tenant.objects.filter(pk=acme.pk).update(name="<script>alert(1)</script>")
    client = browser(SUPERUSER)
    for page in (
        reverse("admin:accounts_tenant_changelist"),
        reverse("admin:accounts_tenant_change", args=[acme.pk]),
    ):
        assert b"<script>alert" not in client.get(page).content


# --- people ---


def save_person(client: Client, user: Any, **columns: Any) -> str:
    given = {
        "username": user.username, "first_name": "", "last_name": "", "email": "",
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", **columns,
    }  # fmt: skip
    page = reverse("admin:auth_user_change", args=[user.pk])
    return client.post(page, given, follow=True).content.decode()


def test_who_becomes_a_platform_admin_stands_in_the_trail(browser: Browser) -> None:
    user = person("eve")
    save_person(browser(SUPERUSER), user, is_active="on", is_staff="on", is_superuser="on")
    user.refresh_from_db()
    assert user.is_superuser
    entry = AuditEntry.objects.get(action="person.change")
    assert (entry.actor, entry.object_id, entry.tenant) == ("user:the-superuser", "eve", None)
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["is_superuser"], entry.after["is_superuser"]) == (False, True)


@pytest.mark.parametrize(
    "columns",
    [
        {"is_active": "on", "is_staff": "on"},
        {"is_active": "on", "is_superuser": "on"},
        {"is_staff": "on", "is_superuser": "on"},
    ],
)
def test_the_last_platform_admin_stays_one(columns: dict[str, str], browser: Browser) -> None:
    client = browser(SUPERUSER)
    user = get_user_model().objects.get(username="the-superuser")
    page = save_person(client, user, **columns)
    assert "last platform admin" in page
    user.refresh_from_db()
    assert user.is_active
    assert user.is_staff
    assert user.is_superuser


def test_a_person_is_made_with_a_password_that_no_entry_tells(browser: Browser) -> None:
    client = browser(SUPERUSER)
    body = {"username": "eve", "password1": "correct-horse-7", "password2": "correct-horse-7"}
    client.post(reverse("admin:auth_user_add"), {**body, "usable_password": "true"})
    user = get_user_model().objects.get(username="eve")
    assert user.check_password("correct-horse-7")
    assert AuditEntry.objects.get(action="person.create").object_id == "eve"
    again = {"password1": "other-horse-8", "password2": "other-horse-8", "usable_password": "true"}
    client.post(reverse("admin:auth_user_password_change", args=[user.pk]), again)
    user.refresh_from_db()
    assert user.check_password("other-horse-8")
    assert AuditEntry.objects.get(action="person.password").actor == "user:the-superuser"
    assert "horse" not in repr(list(AuditEntry.objects.values()))


def test_a_refused_password_leaves_no_entry(browser: Browser) -> None:
    user = person("eve")
    body = {"password1": "one-thing-77", "password2": "another-77", "usable_password": "true"}
    browser(SUPERUSER).post(reverse("admin:auth_user_password_change", args=[user.pk]), body)
    assert not AuditEntry.objects.filter(action="person.password").exists()


@pytest.mark.parametrize("kind", ["plain", "staff", "viewer", "operator", "admin"])
def test_only_a_platform_admin_sets_another_persons_password(kind: str, browser: Browser) -> None:
    client = browser(kind)
    user = person("eve")
    body = {"password1": "correct-horse-7", "password2": "correct-horse-7"}
    page = reverse("admin:auth_user_password_change", args=[user.pk])
    answer = client.post(page, {**body, "usable_password": "true"})
    assert answer.status_code == (302 if kind == "plain" else 403)
    user.refresh_from_db()
    assert not user.has_usable_password()
