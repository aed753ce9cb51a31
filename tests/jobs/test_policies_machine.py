"""Random lives of jobs under limits, pauses, batches and workflows, through the dispatcher's own
choosing; and whether such a run would notice that a guard is gone.

The quick profile runs with the suite; `HYPOTHESIS_PROFILE=thorough` looks twenty times as long.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from accounts.models import Tenant
from jobs import JobContext, job_type
from jobs.dispatcher import choosing
from tests.jobs.checked import profile
from tests.jobs.policies_machine import NARROW, ONE_OF_KEY, TWO_OF_KEY, PoliciesMachine

QUICK = 30


@pytest.fixture
def played(
    tenant: Tenant, declaring: None, monkeypatch: pytest.MonkeyPatch
) -> type[PoliciesMachine]:
    """The machine with its tenants and types. Workers are looked at in every tick, and the policy
    at nothing but its version: time decides neither."""
    monkeypatch.setattr(choosing, "WORKERS_SECONDS", 0.0)
    monkeypatch.setattr(choosing, "POLICY_SECONDS", float("inf"))
    zeta = Tenant.objects.create(slug="zeta", plan_name=tenant.plan_name)
    PoliciesMachine.tenants = {"acme": tenant, "zeta": zeta}
    _declare()
    return PoliciesMachine


def _declare() -> None:
    @job_type(NARROW, max_concurrency=2)
    def narrow(context: JobContext, /, **payload: Any) -> None: ...

    @job_type(ONE_OF_KEY, limit_key="{site}", key_max_concurrency=1)
    def one_of_key(context: JobContext, *, site: str) -> None: ...

    @job_type(TWO_OF_KEY, limit_key="{site}", key_max_concurrency=2)
    def two_of_key(context: JobContext, *, site: str) -> None: ...


@pytest.mark.timeout(1800)
def test_random_lives_under_all_policies_are_as_the_ledgers_say(
    played: type[PoliciesMachine],
) -> None:
    run_state_machine_as_test(played, settings=profile(QUICK))
