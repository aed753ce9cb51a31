"""A page of dead letters by group costs the same however many there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from accounts.models import Tenant
from jobs import failures
from jobs.failures import Group, Wanted
from jobs.models import Job
from jobs.states import Status
from jobs.stats.count import EXACT_TO
from tests.jobs.crowd import crowd
from tests.support.buffers import undone

FEW, MANY, KINDS = 10_000, 200_000, 8


def fill(tenant: Tenant, number: int) -> None:
    """So many dead letters of KINDS kinds, among jobs that completed."""
    crowd(tenant, number // 10, Status.COMPLETED)
    crowd(tenant, number, Status.FAILED, ago=3600, owner="eve", kinds=KINDS)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE jobs_job")


def cost(wanted: Wanted) -> tuple[list[Group], int]:
    return undone(lambda: failures.groups_of(wanted, 50))


@pytest.mark.django_db(transaction=True)
def test_twenty_times_as_many_dead_letters_cost_no_more_to_look_at(
    tenant: Tenant, other: Tenant
) -> None:
    looks: dict[str, Any] = {
        "all tenants": Wanted(),
        "one tenant": Wanted(tenants=[tenant.pk]),
        "an owner": Wanted(tenants=[tenant.pk], owner="eve"),
        "one type": Wanted(tenants=[tenant.pk], type="diagnostics.echo"),
    }
    fill(tenant, FEW * 3)  # beyond what is counted of an owner's
    crowd(other, 10)
    one = failures.groups_of(looks["one tenant"], 1)[0]
    looks["one kind"] = Wanted(tenants=[tenant.pk], fingerprint=one.fingerprint)
    before = {name: cost(wanted)[1] for name, wanted in looks.items()}
    fill(tenant, MANY - FEW * 3)
    after = {name: cost(wanted) for name, wanted in looks.items()}
    # Groups grow to what is counted of each, and no further.
    counted = KINDS * EXACT_TO // 50
    worse = {
        name: (before[name], touched)
        for name, (_, touched) in after.items()
        if touched > 2 * before[name] + counted
    }
    assert worse == {}
    groups = after["one tenant"][0]
    assert [group.count.number for group in groups] == [EXACT_TO] * KINDS
    assert not any(group.count.exact for group in groups)
    assert failures.count_of(Job.objects.get(pk=groups[0].sample.pk)).number == EXACT_TO
