"""`manage.py retention`: what the dispatcher removes by itself, by hand and at once."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs.retention.plan import due_now
from jobs.retention.round import run_to_the_end


class Command(BaseCommand):
    help = (
        "Removes what is kept no longer, as the dispatcher does each hour: ended jobs with all "
        "that is theirs, and rows that nobody needs. It may be interrupted, and run beside the "
        "dispatcher."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only tell which jobs would be removed"
        )

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        if dry_run:
            self._tell_due()
            return
        removed = run_to_the_end()
        for name, number in removed.items():
            if number:
                self.stdout.write(f"{number:>9,}  {name}")
        if not removed.total():
            self.stdout.write("Nothing was due.")

    def _tell_due(self) -> None:
        due = due_now()
        for each in due:
            self.stdout.write(f"{each.number:>9,}  {each.status:<10} {each.type}")
        total = sum(each.number for each in due)
        self.stdout.write(f"{total:,} jobs would be removed." if total else "No job is due.")
