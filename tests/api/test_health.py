"""Liveness and readiness."""

from __future__ import annotations

from typing import NoReturn

import pytest
from django.db import OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from config import health


@pytest.fixture(autouse=True)
def _not_yet_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_migrated", False)


def test_a_process_is_alive_without_any_database() -> None:
    answer = Client().get("/healthz")  # this test may not touch one
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_it_is_ready_when_the_database_answers_and_is_migrated() -> None:
    assert Client().get("/readyz").status_code == 200


@pytest.mark.django_db
def test_it_is_not_ready_before_the_last_migration() -> None:
    MigrationRecorder(connection).migration_qs.filter(app="accounts").delete()
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})


@pytest.mark.django_db
def test_it_is_not_ready_while_the_database_is_away_and_does_not_say_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*_: object) -> NoReturn:
        raise OperationalError("db-7.internal refused")

    monkeypatch.setattr(connection, "cursor", away)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405
