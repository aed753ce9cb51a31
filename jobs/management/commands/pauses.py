"""`manage.py pauses`: what is held back, by whom, why, until when."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs.api.pauses import pause_document
from jobs.models import Pause
from jobs.policies.pausing import IN_FORCE
from jobs.terminal.pausing import line
from jobs.terminal.refusal import in_words
from jobs.terminal.screen import until_the_reader_leaves, write_json

_MOST = 200


class Command(BaseCommand):
    help = "Lists what is paused, newest first."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help=f"ended ones too, at most {_MOST}")
        parser.add_argument("--json", action="store_true", help="one JSON document")

    def handle(self, **options: Any) -> None:
        with until_the_reader_leaves(), in_words():
            rows = Pause.objects.select_related("tenant").order_by("-pk")
            pauses = list(rows[:_MOST] if options["all"] else rows.filter(IN_FORCE)[:_MOST])
            if options["json"]:
                write_json(self.stdout, {"items": [pause_document(one) for one in pauses]})
                return
            for pause in pauses:
                self.stdout.write(line(pause))
            if not pauses:
                self.stderr.write("Nothing is paused.", str)
