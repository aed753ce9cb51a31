"""Figures cost the same however many jobs there are."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from jobs import stats
from jobs.models import DepthSample
from jobs.states import Status
from jobs.stats import EVERYBODYS, Whose
from jobs.stats.rollup import roll_up
from jobs.stats.sampling import sample
from tests.jobs.crowd import crowd

# Just beyond what is counted: below it a count may grow with what there is.
FEW, MANY = 20_000, 200_000
QUEUES = ["default", "mail", "reports"]
LOOKS: dict[str, Callable[[Whose], object]] = {
    "counts": stats.counts_of,
    "waiting": stats.waiting_of,
    "queues": lambda whose: stats.queues_of(whose, QUEUES),
    "measured": stats.measured,
    "newest": stats.newest_of,
    "oldest": stats.oldest_of,
    "overview": stats.overview,
}


def buffers_of(look: Callable[[], object]) -> int:
    """Pages that the statements of `look` touch."""
    with CaptureQueriesContext(connection) as captured:
        look()
    with connection.cursor() as cursor:
        return sum(_buffers(cursor, query["sql"]) for query in captured.captured_queries)


def _buffers(cursor: Any, statement: str) -> int:
    if not statement.lstrip().startswith(("SELECT", "WITH")):
        return 0
    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT json) {statement}")
    ((answer,),) = cursor.fetchall()
    plan = json.loads(answer)[0]["Plan"] if isinstance(answer, str) else answer[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def costs(tenant: Tenant) -> dict[tuple[str, Whose], int]:
    whose = (EVERYBODYS, Whose(tenant=tenant.pk), Whose(tenant=tenant.pk, owner="eve"))
    found = {
        (name, each): buffers_of(partial(look, each))
        for name, look in LOOKS.items()
        for each in whose
    }
    DepthSample.objects.all().delete()  # so that there is something to do
    return found | {(look.__name__, EVERYBODYS): buffers_of(look) for look in (roll_up, sample)}


def fill(tenant: Tenant, number: int) -> None:
    """Half of them completed long ago, half wait; all of an owner."""
    crowd(tenant, number // 2, Status.COMPLETED, ago=9 * 86_400, owner="eve")
    crowd(tenant, number // 2, ago=9 * 86_400, owner="eve")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE jobs_job")


@pytest.mark.django_db(transaction=True)
def test_ten_times_as_many_jobs_cost_no_more_to_look_at(tenant: Tenant, other: Tenant) -> None:
    fill(tenant, FEW + 100)
    crowd(other, 10)
    roll_up()
    before = costs(tenant)
    fill(tenant, MANY - FEW)
    after = costs(tenant)
    worse = {
        look: (before[look], after[look]) for look in before if after[look] > 2 * before[look] + 50
    }
    assert worse == {}
    assert all(number < 5_000 for number in after.values()), after
