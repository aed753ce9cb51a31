"""What stands in the tables when a test that commits has ended."""

from __future__ import annotations

import pytest
from django.db import connection

from accounts.models import AuditEntry, Tenant
from jobs.models import Queue
from tests.jobs.making import queued
from tests.scheduling.making import made
from tests.support.copying import copies
from tests.support.emptying import MANY, empty

MORE_THAN_MANY = 8_000  # jobs


def rows() -> dict[str, int]:
    """How many there are in each table."""
    found = {}
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names():
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            found[name] = cursor.fetchone()[0]
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("more", [0, MORE_THAN_MANY])
def test_all_is_as_it_was_before(more: int) -> None:
    empty()
    before = rows()
    assert (before["jobs_job"], before["accounts_auditentry"]) == (0, 0)
    assert min(before["accounts_tenant"], before["jobs_queue"], before["auth_permission"]) > 0

    tenant = Tenant.objects.get(slug="default")
    made(tenant)
    copies(queued(tenant), more)
    Queue.objects.create(name="of-this-test")
    assert AuditEntry.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('jobs_job')")
        assert (cursor.fetchone()[0] > MANY) == bool(more)
    empty()

    assert rows() == before
