"""`manage.py resume KIND TARGET`: end a pause."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs.models import PauseKind
from jobs.policies import pausing
from jobs.terminal.pausing import add_target, by, line, owner, refusals
from jobs.terminal.refusal import Refused


class Command(BaseCommand):
    help = "Ends what holds back the jobs of a queue, a type, a tenant or a limit key."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_target(parser)

    def handle(self, *, kind: str, target: str, **options: Any) -> None:
        with refusals(kind, target):
            tenant = owner({**options, "kind": kind})
            ended = pausing.resume(PauseKind(kind), target, by(), tenant=tenant)
        if not ended:
            raise Refused(f"{kind} {target!r} is not paused. `manage.py pauses` lists what is.")
        for pause in ended:
            self.stdout.write(line(pause))
