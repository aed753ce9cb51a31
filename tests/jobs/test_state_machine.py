"""Random lives of a few jobs, checked against the ledger after every step.

The quick profile runs with the suite; `HYPOTHESIS_PROFILE=thorough` looks twenty times as long.
"""

from __future__ import annotations

import pytest
from hypothesis.stateful import run_state_machine_as_test

from accounts.models import Tenant
from tests.jobs.checked import Checked, profile

QUICK = 80


class CheckedJobs(Checked):
    """With what has to hold after every step."""


@pytest.mark.timeout(1800)
def test_random_lives_of_jobs_are_as_the_ledger_says(tenant: Tenant) -> None:
    CheckedJobs.tenants = {"acme": tenant}

    run_state_machine_as_test(CheckedJobs, settings=profile(QUICK))
