"""`manage.py pause KIND TARGET`: hold back jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from jobs.models import PauseKind
from jobs.policies import pausing
from jobs.terminal import arguments
from jobs.terminal.pausing import add_target, by, line, owner, refusals


class Command(BaseCommand):
    help = (
        "Holds back the jobs of a queue, a type, a tenant or a limit key. Jobs that run go on. "
        "What is paused already gets this reason and this end."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_target(parser)
        parser.add_argument("--reason", default="", help="for whoever wonders")
        lasts = parser.add_mutually_exclusive_group()
        lasts.add_argument("--until", type=arguments.at, metavar="TIME",
                           help="as 2026-01-31T12:00:00Z; default: until resumed")  # fmt: skip
        lasts.add_argument("--for", dest="seconds", type=arguments.seconds, metavar="DURATION",
                           help="as 90, 5m, 2h, 1d")  # fmt: skip

    def handle(self, *, kind: str, target: str, **options: Any) -> None:
        until = options["until"]
        if options["seconds"] is not None:
            until = timezone.now() + timedelta(seconds=options["seconds"])
        with refusals(kind, target):
            tenant = owner({**options, "kind": kind})
            pause, _ = pausing.pause(
                PauseKind(kind), target, by(), tenant=tenant, reason=options["reason"], until=until
            )
        self.stdout.write(line(pause))
