"""Random lives of jobs under limits, pauses, batches and workflows, through the dispatcher's own
choosing; and whether such a run would notice that a guard is gone.

The quick profile runs with the suite; `HYPOTHESIS_PROFILE=thorough` looks twenty times as long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase
from hypothesis.stateful import run_state_machine_as_test

from accounts.models import Tenant
from jobs import JobContext, job_type
from jobs.dispatcher import choosing, usage
from jobs.dispatcher.fairness import Turns
from jobs.lifecycle import following
from jobs.policies import in_flight
from jobs.policies.rules import Snapshot
from tests.jobs.checked import Checked, is_thorough, profile
from tests.jobs.limits_machine import NARROW, ONE_OF_KEY, TWO_OF_KEY
from tests.jobs.policies_machine import PoliciesMachine
from tests.support.saboteur import SABOTAGES

QUICK = 15


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


# --- would it notice? -----------------------------------------------------------------------

# A guard, as the attribute that holds it, and what stands there when it is gone.
GONE: dict[str, tuple[object, str, Callable[..., object]]] = {
    "holds": (Snapshot, "is_held", lambda *given: False),
    "the count of limits": (usage, "running", lambda: (Counter(), frozenset())),
    "counters of batches": (following, "changes", lambda *given: []),
    "turns": (Turns, "charge", lambda *given: None),
    "taking back": (in_flight, "withdraw", lambda which: 0),
}


def notices(machine: type[Checked]) -> bool:
    """The same runs each time, so that this is no matter of luck."""
    look = profile(100, derandomize=True, phases=[Phase.generate], report_multiple_bugs=False)
    try:
        run_state_machine_as_test(machine, settings=look)
    except AssertionError:
        return True
    return False


@pytest.mark.timeout(600)
@pytest.mark.parametrize("guard", list(GONE) if is_thorough() else list(GONE)[:3])
def test_a_run_notices_that_a_guard_is_gone(
    guard: str, played: type[PoliciesMachine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*GONE[guard])

    assert notices(played)


@pytest.mark.timeout(600)
def test_a_run_notices_that_outcomes_are_not_fenced(played: type[PoliciesMachine]) -> None:
    undo = SABOTAGES["outcome-fence"].commit()

    try:
        assert notices(played)
    finally:
        undo()
