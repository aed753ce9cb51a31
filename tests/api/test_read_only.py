"""A database that takes no writes (a standby after a failover) is not called healthy."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client

from config.doctor import database
from config.doctor.finding import Level
from config.vitals.health import Verdict, health_of
from jobs.stats import EVERYBODYS
from tests.api.calling import Caller


@pytest.fixture
def read_only(caller: Caller) -> None:
    """From here on, in this test's transaction. The caller's token exists already."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # later they could not be checked
        cursor.execute("SET LOCAL transaction_read_only = on")


def test_the_process_is_not_ready(read_only: None) -> None:
    assert Client().get("/readyz").status_code == 503


def test_the_installation_is_unhealthy(read_only: None) -> None:
    assert health_of(EVERYBODYS).verdict == Verdict.UNHEALTHY


def test_a_job_is_refused_for_now_and_not_as_a_mistake_of_ours(
    read_only: None, caller: Caller
) -> None:
    answer = caller.post("/jobs", {"type": "diagnostics.echo", "payload": {}})

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


def test_the_doctor_names_it_and_the_way_out(read_only: None) -> None:
    finding = database.reachable()

    assert finding.level == Level.FAIL
    assert "read only" in finding.detail
    assert "primary" in finding.way_out
