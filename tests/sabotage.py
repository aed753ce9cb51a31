"""`python -m tests.sabotage`: would the kill tests notice if the engine lost one of its guards?

Runs them once as they are, which must be green, and then once for each sabotage, which must be
red. Prints a table; ends with 0 only if every sabotage was noticed. With `--quick` it leaves out
the tests that start processes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass

from config.bootstrap import ROOT
from tests.support.saboteur import SABOTAGE, SABOTAGES

_CHAOS = "tests/chaos"
_GUARDS = [f"{_CHAOS}/test_guards.py", "-k", "guard_holds"]
_TAKEN_OVER = (
    f"{_CHAOS}/test_frozen.py::"
    "test_g5_a_thawed_worker_keeps_nothing_of_an_attempt_that_lost_its_lease"
)
_TOO_LATE = (
    f"{_CHAOS}/test_frozen.py::"
    "test_g5_an_outcome_that_arrives_when_another_attempt_runs_is_not_kept"
)
_CANCELLED = f"{_CHAOS}/test_soft_stop.py::test_g7_a_cancelled_job_whose_worker_dies_ends_cancelled"
# Those whose loss real processes must show as well.
_WITH_PROCESSES = {"outcome-fence": _TOO_LATE, "rescue": _TAKEN_OVER, "cancel": _CANCELLED}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    passed: int
    failed: int
    text: str

    @property
    def green(self) -> bool:
        return self.failed == 0 and self.passed > 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sabotage", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="database-level guards only")
    runs = _runs(quick=parser.parse_args(arguments).quick)
    _say("guard taken out", "tests", "passed", "failed", "noticed")
    verdicts = [_noticed(name, tests) for name, tests in runs]
    return 0 if all(verdicts) else 1


def _runs(*, quick: bool) -> list[tuple[str, list[str]]]:
    """Each sabotage with the tests to run under it; "" is none at all."""
    processes = [] if quick else [(name, [test]) for name, test in _WITH_PROCESSES.items()]
    control = [("", tests) for tests in [_GUARDS, *(tests for _, tests in processes)]]
    return [*control, *((name, _GUARDS) for name in SABOTAGES), *processes]


def _noticed(sabotage: str, tests: list[str]) -> bool:
    """Whether the run came out as it must: green without, red with the sabotage."""
    verdict = _run(sabotage, tests)
    good = verdict.failed > 0 if sabotage else verdict.green
    kind = "guards" if tests is _GUARDS else tests[0].rpartition("::")[2]
    answer = "yes" if good and sabotage else "green" if good else "NO"
    _say(sabotage or "(none)", kind, str(verdict.passed), str(verdict.failed), answer)
    if not good:
        sys.stdout.write(verdict.text)
    return good


def _run(sabotage: str, tests: list[str]) -> Verdict:
    finished = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env={**os.environ, SABOTAGE: sabotage},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Verdict(
        passed=_number(finished.stdout, "passed"),
        failed=_number(finished.stdout, "failed"),
        text=finished.stdout + finished.stderr,
    )


def _number(text: str, word: str) -> int:
    """Of the summary's last line; errors count as neither, so a broken run proves nothing."""
    found = re.findall(rf"(\d+) {word}", text.rstrip().rpartition("\n")[2])
    return int(found[0]) if found else 0


def _say(guard: str, tests: str, passed: str, failed: str, noticed: str) -> None:
    sys.stdout.write(f"{guard:18} {tests[:58]:58} {passed:>6} {failed:>6}  {noticed}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
