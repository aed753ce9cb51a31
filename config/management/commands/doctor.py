import sys
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table

from config.doctor.examination import examine
from config.doctor.finding import Finding, Level

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


class Command(BaseCommand):
    help = (
        "Looks at this installation (packages, settings, database, Redis, broker, dispatcher, "
        "workers, beat, clock) and says what to do. Exit status 1 if anything fails."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = list(examine())
        Console(file=cast(IO[str], self.stdout), highlight=False).print(_table(findings))
        if any(finding.level is Level.FAIL for finding in findings):
            sys.exit(1)


def _table(findings: list[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for finding in findings:
        mark = f"[{_STYLES[finding.level]}]{finding.level}[/]"
        table.add_row(mark, finding.subject, finding.detail)
        if finding.way_out:
            table.add_row("", "", f"→ {finding.way_out}", style="italic")
    return table
