import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.bootstrap import ROOT

# Much of it waits for leases, time-outs and processes: so four parts at once, each on servers of
# its own, even on two cores. `tests.spread` deals them out.
WHOLE_SUITE = ["-n", "4"]


class Command(BaseCommand):
    help = "Runs the tests on private servers of their own. All arguments go to pytest."

    def run_from_argv(self, argv: list[str]) -> None:
        """Become pytest: it has to see the settings before anything else reads them."""
        os.chdir(ROOT)
        arguments = argv[2:] or WHOLE_SUITE
        os.environ.setdefault("PYTHONHASHSEED", "0")  # all parts must collect the same names
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])  # noqa: S606

    def handle(self, *args: Any, **options: Any) -> None:
        self.run_from_argv([sys.argv[0], "test", *args])
