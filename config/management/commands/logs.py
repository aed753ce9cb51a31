import time
from argparse import ArgumentTypeError
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.logs.configuration import own_redaction, shows_colours
from config.logs.directory import LogDirectory
from config.logs.entry import RANKS, Entry
from config.logs.layout import Layout
from config.supervision.home import Home
from jobs.terminal.screen import until_the_reader_leaves

_LOOK_SECONDS = 0.25


class Command(BaseCommand):
    help = (
        "Shows what the programs that `up` or `demo` runs here have logged, in the order of time "
        "and in columns. Needs none of them to run."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add(
            "services",
            nargs="*",
            metavar="SERVICE",
            help="web, dispatcher, worker, beat, flower, postgres, valkey, supervisord; all "
            "unless named",
        )
        add("-f", "--follow", action="store_true", help="and what is still to come, until Ctrl-C")
        add(
            "-n",
            "--lines",
            type=_number,
            default=100,
            help="how many of the last; 100 unless named",
        )
        add("--level", type=str.lower, choices=list(RANKS), help="this grave at least")
        add("--job", metavar="ID", help="lines about this job")
        add("--json", action="store_true", help="one JSON object a line")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = _wanted(options["level"], options["job"])
        path = Home(path=settings.CELERIAC_HOME).logs
        with closing(LogDirectory(path, options["services"], wanted)) as log:
            _require_logs(log, path)
            with suppress(KeyboardInterrupt), until_the_reader_leaves():
                self._show_all(log, options)

    def _show_all(self, log: LogDirectory, options: dict[str, Any]) -> None:
        text_of = self._form(options)
        self._show(log.last(options["lines"], with_begun=not options["follow"]), text_of)
        while options["follow"]:
            time.sleep(_LOOK_SECONDS)
            self._show(log.new(), text_of)

    def _show(self, entries: Sequence[Entry], text_of: Callable[[Entry], str]) -> None:
        for entry in entries:
            self.stdout.write(text_of(entry), style_func=str)
        self.stdout.flush()

    def _form(self, options: dict[str, Any]) -> Callable[[Entry], str]:
        redact = own_redaction()
        if options["json"]:
            return lambda entry: redact(entry.as_json())
        colours = shows_colours(self.stdout) and not options["no_color"]
        layout = Layout(colours=colours or options["force_color"])
        return lambda entry: redact(entry.in_columns(layout))


def _require_logs(log: LogDirectory, path: Path) -> None:
    missing = log.missing()
    if missing:
        raise CommandError(f"There is no log of {', '.join(missing)} in {path}.")
    if not any(path.glob("*.log")):
        raise CommandError(
            f"There are no logs in {path}: `manage.py up` writes them where it runs. "
            "Containers keep their own: docker compose logs."
        )


def _wanted(level: str | None, job: str | None) -> Callable[[Entry], bool]:
    return lambda entry: (
        (not level or entry.is_at_least(level)) and (not job or entry.is_about(job))
    )


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError("a number, 0 or more")
    return int(text)
