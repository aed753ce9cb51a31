"""A round of retention costs little at a time, however many jobs are kept."""

from __future__ import annotations

from functools import partial

import pytest

from accounts.models import Tenant
from jobs.retention import walk
from jobs.retention.rules import present_rules
from jobs.states import Status
from tests.jobs.crowd import analyze, crowd
from tests.support.buffers import undone


@pytest.mark.django_db(transaction=True)
def test_many_jobs_that_are_kept_longer_neither_hide_the_others_nor_cost_more(
    tenant: Tenant, other: Tenant
) -> None:
    """They stand in front: the walk gets past them, each of its pages at the same cost."""
    Tenant.objects.filter(pk=tenant.pk).update(retention_days=3650)
    crowd(tenant, 200_000, Status.COMPLETED, ago=100 * 86_400)
    crowd(other, 10, Status.COMPLETED, ago=40 * 86_400)
    analyze()
    round_, removed = walk.Walk(), 0
    costs: list[int] = []
    while not round_.is_over:
        if len(costs) % 25 == 0:
            costs.append(undone(partial(round_._next_page, present_rules()))[1])
        else:
            costs.append(0)
        removed += round_.step()

    assert removed == 10
    assert len(costs) > 200_000 / walk.PAGE
    assert 0 < max(costs) < 2 * walk.PAGE, costs
