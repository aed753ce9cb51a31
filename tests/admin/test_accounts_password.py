"""One's own password: changed with an entry, and not guessed by who found the browser open."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts import signing_in
from accounts.models import AuditEntry
from tests.admin.conftest import person

pytestmark = pytest.mark.django_db
OLD, NEW = "correct-horse-7", "other-horse-8"


@pytest.fixture
def client(settings: Settings) -> Client:
    """A browser where eve is signed in."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick
    user = person("eve", password=OLD)
    client = Client(REMOTE_ADDR="192.0.2.1")
    client.force_login(user)
    return client


def changed(client: Client, old: str, new: str = NEW, again: str = "") -> Any:
    body = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(reverse("admin:password_change"), body)


def entries() -> list[tuple[str, str, str, str | None]]:
    rows = AuditEntry.objects.exclude(action="person.sign-in").order_by("id")
    return [(e.action, e.actor, e.object_id, e.address) for e in rows]


def password_is(text: str) -> bool:
    return get_user_model().objects.get(username="eve").check_password(text)


def test_a_changed_password_is_written_down_and_the_session_goes_on(client: Client) -> None:
    assert changed(client, OLD)["Location"] == reverse("admin:password_change_done")
    assert password_is(NEW)
    assert client.get(reverse("admin:password_change_done")).status_code == 200
    assert entries() == [("person.password", "user:eve", "eve", "192.0.2.1")]
    assert "horse" not in repr(list(AuditEntry.objects.values()))


def test_a_new_password_that_is_refused_leaves_no_entry(client: Client) -> None:
    assert changed(client, OLD, again="something-else-9").status_code == 200
    assert changed(client, "").status_code == 200
    assert entries() == []


def test_a_wrong_old_password_is_written_down_and_slowed_like_a_sign_in(client: Client) -> None:
    tries = [changed(client, "wrong").status_code for _ in range(11)]
    assert tries == [200] * 10 + [429]
    assert entries() == [(signing_in.REFUSED, "user:eve", "eve", "192.0.2.1")] * 10
    answer = changed(client, OLD)
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")
    assert b"Wait five minutes" in answer.content
    assert password_is(OLD)


def test_the_page_itself_opens_while_its_owner_waits(client: Client) -> None:
    for _ in range(10):
        changed(client, "wrong")
    assert client.get(reverse("admin:password_change")).status_code == 200


def test_who_is_not_signed_in_is_asked_to_sign_in() -> None:
    answer = changed(Client(), OLD)
    assert answer["Location"].startswith(reverse("admin:login"))
