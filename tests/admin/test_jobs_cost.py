"""The list and the page of a job cost the same with a few thousand jobs and with very many.

Measured in buffers that the statements touch, not in time. The small table is large enough to
fill a page and a bounded look for each tenant; the large one is ten times that. Other sizes:
`BROWSING_ROWS=10000,1000000 python3 manage.py test tests/admin/test_jobs_cost.py -o timeout=1800`.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Tenant
from accounts.roles import Role
from jobs.models import Job
from tests.admin.conftest import SUPERUSER, Browser
from tests.admin.jobs_around import LIST, buffers_of, many_jobs, page_of, queues

TENANTS = 5
SMALL, LARGE = map(int, os.environ.get("BROWSING_ROWS", "20000,200000").split(","))
_LOOKS: tuple[dict[str, str], ...] = (
    {},
    {"status": "failed"},
    {"status": "completed"},
    {"status": "queued"},
    {"status": "dead"},
    {"queue": "mail"},
    {"queue": "empty"},
    {"q": "type:old.rare"},
    {"q": "type:kind.1"},
    {"q": "type:none.such"},
    {"q": "type:old.rare", "status": "failed"},
    {"level": "normal"},
    {"level": "urgent"},
    {"level": "urgent", "status": "completed"},
    {"level": "normal", "queue": "mail"},
    {"created": "day"},
    {"created": "day", "status": "completed"},
    {"q": "nightly"},
    {"q": "order:rare"},
    {"q": "order:none"},
    {"q": "order:rare", "status": "completed"},
    {"owner": "ada"},
    {"before": "5000", "status": "completed"},
)


@pytest.fixture
def tenants(acme: Tenant) -> list[Tenant]:
    queues()
    more = [Tenant(slug=f"tenant-{number}") for number in range(TENANTS - 1)]
    return [acme, *Tenant.objects.bulk_create(more)]


def _cost(ask: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as queries:
        ask()
    frame = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "SET")
    return buffers_of([one["sql"] for one in queries if not one["sql"].startswith(frame)])


def _costs(client: Client) -> dict[str, int]:
    def look(query: dict[str, str]) -> Callable[[], object]:
        return lambda: client.get(LIST, query)

    costs = {str(query): _cost(look(query)) for query in _LOOKS}
    rare = Job.objects.filter(unique_key="nightly").get()
    costs["by id"] = _cost(look({"q": str(rare.pk)}))
    shown = Job.objects.filter(tenant__slug="acme").order_by("-seq")[0]
    costs["page"] = _cost(lambda: client.get(page_of(shown)))
    return costs


@pytest.mark.parametrize("kind", [Role.ADMIN, SUPERUSER])
def test_no_look_at_jobs_costs_more_where_there_are_more(
    kind: str, browser: Browser, tenants: list[Tenant]
) -> None:
    client = browser(kind)
    many_jobs(tenants, SMALL)
    small = _costs(client)
    many_jobs(tenants, LARGE)
    large = _costs(client)
    for what, buffers in small.items():
        print(f"{kind:10} {what:50} {buffers:>7} {large[what]:>7}")  # noqa: T201 (pytest -s)
    dearer = {what: (small[what], large[what]) for what in small if large[what] > 2 * small[what]}
    assert not dearer
