"""What a call costs the database, in statements."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import Caller
from tests.api.conftest import MakeJob

JOB: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 7}}
pytestmark = pytest.mark.usefixtures("use_noted_once")
_FRAME = ("SAVEPOINT", "RELEASE SAVEPOINT", "BEGIN", "COMMIT")


class Statements(CaptureQueriesContext):
    """Those that are sent, without the frames of transactions."""

    def __init__(self) -> None:
        super().__init__(connection)

    @property
    def sent(self) -> list[str]:
        return [
            query["sql"] for query in self.captured_queries if not query["sql"].startswith(_FRAME)
        ]


@pytest.fixture
def warm(caller: Caller) -> Caller:
    """A caller whose token's use and whose queue are already noted."""
    caller.post("/jobs", JOB)
    return caller


@pytest.mark.parametrize(
    ("status", "most"), [(Status.PROCESSING, 2), (Status.COMPLETED, 2), (Status.QUEUED, 3)]
)
def test_reading_a_job_is_the_token_the_job_and_its_place_while_queued(
    status: Status, most: int, warm: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, status, depends_on=())
    with Statements() as statements:
        assert warm.get(f"/jobs/{job.pk}").status == 200
    assert len(statements.sent) <= most, statements.sent


@pytest.mark.parametrize(
    ("body", "headers", "most"),
    [
        (JOB, {}, 3),
        ({**JOB, "unique_key": "one"}, {}, 4),
        (JOB, {"idempotency_key": "k"}, 7),
    ],
)
def test_creating_a_job_is_the_token_one_insert_and_its_place(
    body: dict[str, Any], headers: dict[str, str], most: int, warm: Caller
) -> None:
    with Statements() as statements:
        assert warm.post("/jobs", body, **headers).status == 201
    assert len(statements.sent) <= most, statements.sent


def test_a_page_costs_the_same_however_long_it_is(
    warm: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    for _ in range(20):
        make_job(acme)
    with Statements() as statements:
        assert len(warm.get("/jobs").body["items"]) == 21
    assert len(statements.sent) <= 2, statements.sent


def test_a_deep_page_is_found_by_the_index_and_reads_only_itself(
    warm: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    for _ in range(10):
        make_job(acme)
    cursor = warm.get("/jobs", limit=1).body["next_cursor"]
    with Statements() as statements:
        warm.get("/jobs", limit=1, cursor=cursor)
    assert "OFFSET" not in statements.sent[-1]
    with connection.cursor() as explaining:
        explaining.execute("SET LOCAL enable_seqscan = off")
        explaining.execute("SET LOCAL enable_sort = off")
        explaining.execute("EXPLAIN " + statements.sent[-1])
        plan = "\n".join(row[0] for row in explaining.fetchall())
    assert "Index Cond" in plan
    assert "Sort" not in plan
