import os
import sys
from typing import Any

from django.core.management.base import BaseCommand

from config.bootstrap import ROOT


class Command(BaseCommand):
    help = "Runs the tests on private servers of their own. All arguments go to pytest."

    def run_from_argv(self, argv: list[str]) -> None:
        """Become pytest: it has to see the settings before anything else reads them."""
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "pytest", *argv[2:]])  # noqa: S606

    def handle(self, *args: Any, **options: Any) -> None:
        self.run_from_argv([sys.argv[0], "test", *args])
