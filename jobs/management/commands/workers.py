"""`manage.py workers …`: who runs jobs, and what each is asked to do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from jobs import worker_verbs
from jobs.api.workers import worker_document
from jobs.models import Worker
from jobs.stats import EVERYBODYS, WorkerFigures, workers_of
from jobs.terminal.arguments import take_plain_text
from jobs.terminal.pausing import by
from jobs.terminal.refusal import Refused, in_words
from jobs.terminal.screen import until_the_reader_leaves, write_json
from jobs.terminal.words import plain

_VERBS = {
    "pause": (worker_verbs.pause, "take no further job; what runs goes on"),
    "resume": (worker_verbs.resume, "take jobs again"),
    "shutdown": (worker_verbs.shutdown, "end what runs, then itself; it stays down"),
    "restart": (worker_verbs.restart, "the same, and it comes back"),
}


class Command(BaseCommand):
    help = "Lists the workers, or asks one of them to pause, resume, shut down or begin anew."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        listing = verbs.add_parser("list", help="all, by name")
        listing.add_argument("--json", action="store_true", help="one JSON document")
        for name, (_, words) in _VERBS.items():
            verb = verbs.add_parser(name, help=words)
            take_plain_text(verb)
            verb.add_argument("name", help="as `list` shows it: worker-1@host")

    def handle(self, *, verb: str, **options: Any) -> None:
        with until_the_reader_leaves(), in_words():
            if verb == "list":
                self._list(as_json=options["json"])
            else:
                self._act(verb, options["name"])

    def _list(self, *, as_json: bool) -> None:
        found = workers_of(EVERYBODYS)
        if as_json:
            write_json(self.stdout, {"items": [worker_document(one) for one in found]})
            return
        for worker in found:
            self.stdout.write(_line(worker))
        if not found:
            self.stderr.write("No worker has reported itself.", str)

    def _act(self, verb: str, name: str) -> None:
        act, _ = _VERBS[verb]
        try:
            act(name, by())
        except Worker.DoesNotExist:
            raise Refused(f"no worker {name!r}; `workers list` names them") from None
        (figures,) = workers_of(EVERYBODYS, name=name)
        self.stdout.write(_line(figures))


def _line(worker: WorkerFigures) -> str:
    """`worker-1@host: busy, 1 of 2 slots, takes default, mail`"""
    slots = f"{len(worker.current_jobs)} of {worker.slots} slots"
    takes = ", ".join(worker.queues) or "nothing"
    return plain(f"{worker.name}: {worker.state.value}, {slots}, takes {takes}")
