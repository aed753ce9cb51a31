"""Secrets: encrypted in the row, plain in the job's code, `***` everywhere else."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from pydantic import BaseModel
from pytest_django import Settings

from accounts.models import Tenant
from jobs import JobContext, Secret, job_type
from jobs.enqueue import enqueue
from jobs.exceptions import InvalidPayload
from jobs.job_type import JobType
from jobs.payload import arguments, model_of, validated
from jobs.worker.revealing import revealed

TOKEN = "tok-3n-very-secret"


class Colour(Enum):
    RED = TOKEN


@dataclass
class Key:
    name: str
    text: Secret[str]


@dataclass(frozen=True, slots=True)
class Pair:
    left: str
    right: bytes


class Login(BaseModel):
    user: str
    password: Secret[str]


def fetch(
    context: JobContext,
    *,
    token: Secret[str] | None = None,
    pin: Secret[int] | None = None,
    keys: list[Secret[str]] = [],  # noqa: B006 - a default that pydantic copies
    login: Login | None = None,
    note: str = "",
) -> None: ...


MODEL = model_of("secrets.fetch", fetch)
MASKED = JobType.masked


@pytest.mark.django_db
def test_a_secret_is_encrypted_in_the_row(tenant: Tenant, declaring: None) -> None:
    job_type("secrets.fetch")(fetch)
    job = enqueue(tenant, "secrets.fetch", {"token": TOKEN, "note": "shown"}).job

    with connection.cursor() as cursor:
        cursor.execute("SELECT jobs_job::text FROM jobs_job WHERE id = %s", [job.pk])
        (row,) = cursor.fetchone()
    assert TOKEN not in row
    assert "shown" in row
    assert arguments(MODEL, job.payload)["token"].reveal() == TOKEN


@pytest.mark.parametrize(
    ("payload", "reveal"),
    [
        ({"token": TOKEN}, lambda given: given["token"].reveal()),
        ({"token": Secret(TOKEN)}, lambda given: given["token"].reveal()),
        ({"keys": ["a", TOKEN]}, lambda given: given["keys"][1].reveal()),
        ({"login": {"user": "u", "password": TOKEN}}, lambda g: g["login"].password.reveal()),
    ],
)
def test_the_job_gets_what_was_handed_in(payload: dict[str, Any], reveal: Any) -> None:
    stored = validated(MODEL, payload)

    assert TOKEN not in json.dumps(stored)
    assert reveal(arguments(MODEL, stored)) == TOKEN


def test_a_secret_keeps_its_type() -> None:
    stored = validated(MODEL, {"pin": 1234})

    assert "1234" not in json.dumps(stored)
    assert arguments(MODEL, stored)["pin"].reveal() == 1234


def test_a_stored_payload_is_shown_masked() -> None:
    stored = validated(
        MODEL, {"token": TOKEN, "keys": ["a", "b"], "login": {"user": "u", "password": "p"}}
    )

    assert MASKED(stored) == {
        "token": "***", "keys": ["***", "***"], "login": {"user": "u", "password": "***"},
    }  # fmt: skip


def test_a_secret_shows_itself_nowhere_by_accident() -> None:
    secret = Secret(TOKEN)

    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{[secret]}"):
        assert TOKEN not in shown
        assert "***" in shown
    assert not hasattr(secret, "__dict__")
    assert (secret == Secret(TOKEN), secret == TOKEN) == (True, False)
    assert len({secret, Secret(TOKEN)}) == 1


@pytest.mark.parametrize("payload", [{"token": {"a": TOKEN}}, {"pin": TOKEN}, {"keys": TOKEN}])
def test_a_refusal_does_not_repeat_the_secret(payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        validated(MODEL, payload)

    assert TOKEN not in "".join(traceback.format_exception(refusal.value))


def test_a_program_cannot_hand_in_an_encrypted_value_as_a_secret() -> None:
    stored = validated(MODEL, {"token": TOKEN})

    with pytest.raises(InvalidPayload):
        validated(MODEL, {"token": stored["token"]})


def test_the_same_secret_is_encrypted_differently_each_time() -> None:
    assert validated(MODEL, {"token": TOKEN}) != validated(MODEL, {"token": TOKEN})


def test_a_key_is_rotated_by_its_fallbacks(settings: Settings) -> None:
    old = settings.SECRET_KEY
    stored = validated(MODEL, {"token": TOKEN})

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key, long enough", [old]
    assert arguments(MODEL, stored)["token"].reveal() == TOKEN

    fresh = validated(MODEL, {"token": TOKEN})
    settings.SECRET_KEY_FALLBACKS = []
    assert arguments(MODEL, fresh)["token"].reveal() == TOKEN
    with pytest.raises(InvalidPayload, match="no longer configured") as refusal:
        arguments(MODEL, stored)
    assert refusal.value.errors[0].pointer == "/token"


def test_the_schema_says_that_a_secret_is_only_written() -> None:
    schema = model_of("t", simple).model_json_schema()

    assert schema["properties"]["token"]["writeOnly"] is True
    assert schema["properties"]["token"]["type"] == "string"


def simple(context: JobContext, *, token: Secret[str]) -> None: ...


@pytest.mark.parametrize(
    "payload",
    [
        {"token": TOKEN},
        {"keys": ["a", TOKEN]},
        {"login": {"user": "u", "password": TOKEN}},
    ],
)
def test_every_secret_text_among_the_arguments_is_known_to_the_scrubbing_of_errors(
    payload: dict[str, Any],
) -> None:
    assert TOKEN in revealed(arguments(MODEL, validated(MODEL, payload)))


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        (Secret({"user": "eve", "password": TOKEN}), {"eve", TOKEN}),
        (Secret({"a": [{"b": (TOKEN,)}, {TOKEN + "2"}]}), {TOKEN, TOKEN + "2"}),
        ([{"x": Key(name="shown", text=Secret(TOKEN))}], {TOKEN}),
        ({"x": (Login(user="shown", password=Secret(TOKEN)),)}, {TOKEN}),
        (Secret(Login(user="eve", password=Secret(TOKEN))), {"eve", TOKEN}),
        (Secret(Pair(left=TOKEN, right=b"four")), {TOKEN, "four"}),
        (Secret(Colour.RED), {TOKEN}),
        (Secret(b"a\xffb"), {"a\\xffb", "a\N{REPLACEMENT CHARACTER}b"}),
        ([Secret(1234), Secret(-98765), Secret(12.345), Secret(123)], {"1234", "98765", "12.345"}),
        ([Secret(True), Secret(None), Secret(""), Secret(b"")], set()),
        (Secret(UUID(int=7)), {str(UUID(int=7))}),
        (["not", {"one": 12345}, Key(name="none", text=Secret(""))], set()),
    ],
)  # fmt: skip
def test_every_secret_is_found_whatever_it_is_and_wherever_it_stands(
    given: Any, texts: set[str]
) -> None:
    assert set(revealed({"given": given})) == texts


def test_a_secret_that_cannot_be_printed_or_holds_itself_hinders_no_other() -> None:
    class Odd:
        def __str__(self) -> str:
            raise ValueError

    ring: list[Any] = [Secret(TOKEN)]
    ring.append(ring)
    deep: Any = Secret("innermost")
    for _ in range(5000):
        deep = [deep]

    assert revealed([Secret(Odd()), ring, deep]) == ["innermost", TOKEN]
