import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from rich.console import Console

from config import demo
from config.supervision.command import run_celeriac
from config.supervision.stack import Stack

# The demonstration hands in more jobs and files than a minute allows; its tenant has the largest
# plan. Whoever has set a rate keeps it.
_USUAL, _WITH_ROOM = "10/m", "10/m,enterprise=600/m"


class Command(BaseCommand):
    help = (
        "Runs all of Celeriac as `up` does, and on it the shipped workloads on real documents. "
        "Stays up until Ctrl-C; with --exit it ends after the results, with exit status 0 only if "
        "every job ended as it should."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exit", action="store_true", help="end after the results")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.RATE_LIMIT_CREATE == _USUAL:
            os.environ["RATE_LIMIT_CREATE"] = _WITH_ROOM
        console = Console(highlight=False)
        succeeded = False

        def show(stack: Stack) -> None:
            nonlocal succeeded
            succeeded = demo.run(console, stack.base_url)
            if not options["exit"]:
                console.print("Everything stays up. Stop with Ctrl-C.")
                stack.watch()

        run_celeriac(console, show)
        if options["exit"] and not succeeded:
            sys.exit(1)
