"""Signing in to the admin: written down, slowed down for guessers, ended by signing out."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from accounts import signing_in
from accounts.ids import first_id_of, new_id
from accounts.models import AuditEntry
from tests.admin.conftest import person

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-7"


@pytest.fixture(autouse=True)
def _eve(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick
    user = person("eve")
    user.set_password(PASSWORD)
    user.save()


def tried(
    name: str, password: str, address: str = "192.0.2.1", client: Client | None = None
) -> int:
    body = {"username": name, "password": password, "next": "/admin/"}
    answer = (client or Client()).post(reverse("admin:login"), body, REMOTE_ADDR=address)
    return answer.status_code


def actions() -> list[tuple[str, str, str, str | None]]:
    rows = AuditEntry.objects.order_by("id")
    return [(e.action, e.actor, e.object_id, e.address) for e in rows]


def test_signing_in_and_out_is_written_down_with_the_address() -> None:
    client = Client()
    assert tried("eve", PASSWORD, client=client) == 302
    assert client.get(reverse("admin:index")).status_code == 200
    assert client.get(reverse("admin:logout")).status_code == 405
    client.post(reverse("admin:logout"), REMOTE_ADDR="192.0.2.1")
    assert client.get(reverse("admin:index")).status_code == 302
    assert actions() == [
        ("person.sign-in", "user:eve", "eve", "192.0.2.1"),
        ("person.sign-out", "user:eve", "eve", "192.0.2.1"),
    ]


def test_who_signs_in_comes_to_the_first_page() -> None:
    body = {"username": "eve", "password": PASSWORD}
    assert Client().post(reverse("admin:login"), body)["Location"] == reverse("admin:index")


def test_a_refused_sign_in_is_written_down_without_the_password() -> None:
    assert tried("eve", "wrong-horse") == 200
    assert actions() == [("person.sign-in-refused", "anonymous", "eve", "192.0.2.1")]
    assert "horse" not in repr(list(AuditEntry.objects.values()))


def test_an_unknown_name_is_not_written_down_as_it_is() -> None:
    """Some type their password where the name belongs."""
    tried(PASSWORD, "eve")
    [(_, _, shown, _)] = actions()
    assert shown.startswith("unknown:")
    assert "horse" not in shown


@pytest.mark.parametrize("name", ["eve", "nobody"])
def test_after_ten_refusals_not_even_the_right_password_is_tried(name: str) -> None:
    """A name that exists and one that does not get the same answers."""
    assert [tried(name, "wrong") for _ in range(11)] == [200] * 10 + [429]
    assert tried(name, PASSWORD) == 429
    assert AuditEntry.objects.count() == 10


def test_others_names_and_other_addresses_go_on_meanwhile() -> None:
    for _ in range(10):
        tried("mallory", "wrong")
    assert tried("mallory", "wrong") == 429
    assert tried("eve", PASSWORD) == 302
    for _ in range(10):
        tried("eve", "wrong", address="192.0.2.2")
    assert tried("eve", PASSWORD, address="192.0.2.2") == 429
    assert tried("eve", PASSWORD, address="192.0.2.3") == 302


def test_the_answer_says_when_to_try_again() -> None:
    for _ in range(10):
        tried("eve", "wrong")
    body = {"username": "eve", "password": PASSWORD}
    answer = Client().post(reverse("admin:login"), body, REMOTE_ADDR="192.0.2.1")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "300"
    assert b"Wait five minutes" in answer.content


def entered(count: int, *, ago: timedelta = timedelta(), name: str = "unknown:1") -> None:
    """Refusals of one address that were written down so long ago."""
    for number in range(count):
        moment = UUID(int=new_id().int - (int(ago.total_seconds() * 1000) << 80) + number)
        AuditEntry.objects.create(
            id=moment, actor="anonymous", action=signing_in.REFUSED,
            object_type="person", object_id=name, address="192.0.2.1",
        )  # fmt: skip


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    """Whoever has one address of it has all."""
    tries = [tried("eve", "wrong", address=f"2001:db8:0:1::{number:x}") for number in range(11)]
    assert tries == [200] * 10 + [429]
    assert tried("eve", PASSWORD, address="2001:db8:0:1:ffff:ffff:ffff:ffff") == 429
    assert tried("eve", PASSWORD, address="2001:db8:0:2::") == 302


def test_an_ipv4_address_written_as_ipv6_counts_by_itself() -> None:
    for _ in range(10):
        tried("eve", "wrong", address="::ffff:192.0.2.1")
    assert tried("eve", PASSWORD) == 429
    assert tried("eve", PASSWORD, address="::ffff:192.0.2.2") == 302


def guessed_everywhere(name: str) -> int:
    """The last answer to as many tries from many addresses as one name has in an hour."""
    for number in range(signing_in.TRIES_IN_AN_HOUR):
        assert tried(name, "wrong", address=f"198.51.100.{number}") == 200
    return tried(name, "wrong", address="198.51.100.200")


@pytest.mark.parametrize("name", ["eve", "nobody"])
def test_a_name_is_guessed_slowly_from_however_many_addresses(name: str) -> None:
    assert guessed_everywhere(name) == 429
    assert AuditEntry.objects.count() == signing_in.TRIES_IN_AN_HOUR
    body = {"username": name, "password": PASSWORD}
    answer = Client().post(reverse("admin:login"), body, REMOTE_ADDR="198.51.100.201")
    assert answer["Retry-After"] == "3600"
    assert b"Wait an hour" in answer.content


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_guessers_elsewhere_keep_nobody_out_where_he_signed_in_before(address: str) -> None:
    assert tried("eve", PASSWORD, address=address) == 302
    assert guessed_everywhere("eve") == 429
    assert tried("eve", "wrong", address=address) == 200
    assert tried("eve", PASSWORD, address=address) == 302


def test_who_has_waited_may_try_again() -> None:
    entered(10, ago=signing_in.WAIT + timedelta(seconds=30), name="eve")
    assert tried("eve", PASSWORD) == 302


def test_many_names_from_one_address_fill_neither_the_trail_nor_hide_a_guesser() -> None:
    entered(signing_in.TRIES_FROM_ONE_ADDRESS)
    assert tried("somebody", "wrong") == 429
    assert tried("eve", PASSWORD) == 429
    assert AuditEntry.objects.count() == signing_in.TRIES_FROM_ONE_ADDRESS
    assert tried("eve", PASSWORD, address="192.0.2.2") == 302


@pytest.mark.parametrize("address", ["", "fe80::1%eth0", "nonsense", "::1"])
def test_no_address_keeps_anybody_out_or_breaks_the_trail(address: str) -> None:
    assert tried("eve", "wrong", address=address) == 200
    assert tried("eve", PASSWORD, address=address) == 302


@pytest.mark.parametrize("name", ["", "x" * 10_000, "a\x00b", "<script>", "é" * 100])
def test_no_name_breaks_the_page(name: str) -> None:
    assert tried(name, "wrong") == 200


@pytest.mark.parametrize("column", ["is_staff", "is_active"])
def test_who_is_not_staff_or_not_active_does_not_come_in(column: str) -> None:
    get_user_model().objects.update(**{column: False})
    assert tried("eve", PASSWORD) == 200


def test_no_page_offers_to_reset_a_password() -> None:
    assert Client().get("/admin/password_reset/").status_code == 302  # to signing in
    assert b"Forgotten" not in Client().get(reverse("admin:login")).content


def test_the_count_reads_the_refusals_of_one_address_only() -> None:
    """By an index of its own, so that no flood from elsewhere makes signing in slow."""
    entered(5)
    elsewhere = [
        AuditEntry(
            actor="anonymous", action=signing_in.REFUSED, object_type="person",
            object_id="unknown:1", address=f"198.51.{number // 250}.{number % 250}",
        )
        for number in range(2_000)
    ]  # fmt: skip
    AuditEntry.objects.bulk_create(elsewhere)
    here = signing_in.from_network_of("192.0.2.1")
    rows = AuditEntry.objects.filter(
        here, action=signing_in.REFUSED, id__gte=first_id_of(_long_ago())
    ).order_by("-id")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_auditentry")
        assert "audit_refused" in rows.explain()


def _long_ago() -> datetime:
    return timezone.now() - signing_in.WAIT
