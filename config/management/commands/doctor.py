import json
import sys
from dataclasses import asdict
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.doctor.examination import examine
from config.doctor.finding import Finding, Level
from config.logs.configuration import own_redaction

_STYLES = {
    Level.OK: "green",
    Level.NOTE: "cyan",
    Level.WARN: "yellow",
    Level.FAIL: "bold red",
}


class Command(BaseCommand):
    help = (
        "Looks at this installation (packages, settings, database, Redis, broker, dispatcher, "
        "workers, queues, beat, clocks) and says what is wrong, why it matters and what to do. "
        "Takes a few seconds at most. Exit status 1 if anything fails."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="the findings as a JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [_without_secrets(finding) for finding in examine()]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=2))
        else:
            Console(file=cast(IO[str], self.stdout), highlight=False).print(_table(findings))
        if any(finding.level is Level.FAIL for finding in findings):
            sys.exit(1)


def _without_secrets(finding: Finding) -> Finding:
    redact = own_redaction()
    texts = {name: redact(text) for name, text in asdict(finding).items() if name != "level"}
    return Finding(level=finding.level, **texts)


def _table(findings: list[Finding]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        level = Text(finding.level, style=_STYLES[finding.level])
        table.add_row(level, finding.subject, Text(finding.detail))
        for mark, text in (("", finding.why), ("→ ", finding.way_out)):
            if text:
                table.add_row("", "", Text(mark + text, style="" if mark else "dim"))
    return table
