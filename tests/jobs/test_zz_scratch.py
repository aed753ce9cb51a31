import os
from hypothesis import Phase, Verbosity
import pytest
from hypothesis.stateful import run_state_machine_as_test
from tests.jobs.test_policies_machine import played, profile
from collections import Counter
@pytest.mark.timeout(1800)
def test_scratch(played):
    n=int(os.environ.get("N","30"))
    phases=[Phase.generate]+([Phase.shrink] if os.environ.get("SHRINK") else [])
    run_state_machine_as_test(played, settings=profile(n, phases=phases))
