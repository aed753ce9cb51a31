"""`manage.py jobs …`: look at jobs and act on them from the terminal."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.http import QueryDict

from accounts.access import Access
from jobs import operations
from jobs.api.filters import condition
from jobs.api.reach import jobs_of
from jobs.exceptions import TransitionRefused
from jobs.models import Job
from jobs.operations import Actor
from jobs.terminal import arguments
from jobs.terminal.job_page import show_job
from jobs.terminal.job_table import job_table
from jobs.terminal.log_lines import last_lines, write_lines
from jobs.terminal.reading import (
    access_to,
    attempts,
    current,
    document,
    documents,
    found,
    reasons,
)
from jobs.terminal.refusal import REFUSED, Refused, in_words
from jobs.terminal.screen import screen, until_the_reader_leaves, write_json
from jobs.terminal.waiting import wait_for_end
from jobs.terminal.words import happening

Verb = Callable[[Job, Actor, dict[str, Any]], Job]
_FILTERS = ("status", "type", "queue", "level", "owner", "dead")


class Command(BaseCommand):
    help = (
        "Looks at jobs and acts on them. An id may be cut short, to eight digits at least, as "
        "long as no other job's id begins so. Exit status 2 where something was refused."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        _add_list(verbs.add_parser("list", help="newest first"))
        for name, told in (("show", "all that is known of one job"), ("watch", "until it ends")):
            one = verbs.add_parser(name, help=told)
            one.add_argument("id")
            arguments.add_shared(one)
        lines = verbs.add_parser("logs", help="the lines that a job logged, oldest first")
        lines.add_argument("id")
        lines.add_argument(
            "-f", "--follow", action="store_true", help="and those to come, until the job has ended"
        )
        arguments.add_shared(lines)
        for name, (told, _) in VERBS.items():
            act = verbs.add_parser(name, help=told)
            act.add_argument("ids", nargs="+", metavar="id")
            arguments.add_shared(act)
            if name == "boost":
                act.add_argument("--by", type=_boost, default=20, help="1 to 100, default 20")
            if name == "retry":
                act.add_argument("--payload", type=arguments.payload, metavar="JSON",
                                 help="another payload; @FILE or - read it")  # fmt: skip

    def handle(self, *, verb: str, **options: Any) -> None:
        status = 0
        with until_the_reader_leaves(), in_words():
            access = access_to(options["tenant"])
            looks = {
                "list": self._list, "show": self._show, "watch": self._watch, "logs": self._logs,
            }  # fmt: skip
            look = looks.get(verb)
            status = look(access, options) if look else self._act(verb, access, options)
        if status:
            sys.exit(status)

    def _list(self, access: Access, options: dict[str, Any]) -> int:
        order = "-seq" if access.tenant else "-pk"
        rows = jobs_of(access).filter(condition(_query(options))).order_by(order)
        jobs = documents(list(rows[: options["limit"] + 1]), access)
        shown, more = jobs[: options["limit"]], len(jobs) > options["limit"]
        if options["json"]:
            write_json(self.stdout, {"items": shown, "more": more})
            return 0
        console = screen(self.stdout)
        console.print(job_table(shown, console))
        if more:
            self.stderr.write(f"These are the newest {len(shown)}; --limit shows more.", str)
        return 0

    def _show(self, access: Access, options: dict[str, Any]) -> int:
        job = found(options["id"], access)
        told, tried = document(job, access, placed=True), attempts(job, access)
        why, lines = reasons(job), last_lines(job)
        if options["json"]:
            write_json(self.stdout, {**told, "reasons": why, "attempts": tried, "logs": lines})
        else:
            show_job(told, why, tried, lines, screen(self.stdout))
        return 0

    def _logs(self, access: Access, options: dict[str, Any]) -> int:
        job = found(options["id"], access)
        return write_lines(job, self.stdout, follow=options["follow"], as_json=options["json"])

    def _watch(self, access: Access, options: dict[str, Any]) -> int:
        job = document(found(options["id"], access), access, placed=True)
        return wait_for_end(job, access, self.stdout, self.stderr, as_json=options["json"])

    def _act(self, verb: str, access: Access, options: dict[str, Any]) -> int:
        """Each job for itself: one that refuses stops no other."""
        status, changed = 0, []
        for text in options["ids"]:
            try:
                with in_words():
                    changed.append(_performed(verb, found(text, access), access, options))
            except Refused as error:
                self.stderr.write(f"{text}: {error}")
                status = REFUSED
        self._tell(changed, as_json=options["json"])
        return status

    def _tell(self, changed: list[dict[str, Any]], *, as_json: bool) -> None:
        if as_json:
            write_json(self.stdout, {"items": changed})
            return
        for job in changed:
            self.stdout.write(f"{job['id']}  {job['level']}, {happening(job)}")


VERBS: dict[str, tuple[str, Verb]] = {
    "cancel": (
        "end a waiting job at once, ask a running one to end",
        lambda job, by, options: operations.cancel(job, by),
    ),
    "retry": (
        "run a failed or cancelled job again",
        lambda job, by, options: operations.retry(job, by, payload=options["payload"]),
    ),
    "boost": (
        "raise a waiting job's priority",
        lambda job, by, options: operations.boost(job, by, amount=options["by"]),
    ),
    "run-now": (
        "start a scheduled job without waiting for its time",
        lambda job, by, options: operations.run_now(job, by),
    ),
    "discard": (
        "take a failed job out of the dead letters",
        lambda job, by, options: operations.discard(job, by),
    ),
}


def _performed(verb: str, job: Job, access: Access, options: dict[str, Any]) -> dict[str, Any]:
    try:
        VERBS[verb][1](job, Actor(name=access.principal.actor), options)
    except TransitionRefused as error:
        raise Refused(f"{error} It is {job.status}.") from error
    return current(job.pk, access)


def _add_list(parser: ArgumentParser) -> None:
    arguments.add_shared(parser)
    parser.add_argument("--status", action="append", help="repeatable: any of them")
    for name in ("type", "queue", "level", "owner"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--label", type=arguments.label, metavar="KEY=VALUE")
    parser.add_argument(
        "--dead", action="store_const", const="true", help="failed and not discarded"
    )
    arguments.add_limit(parser)


def _query(options: dict[str, Any]) -> QueryDict:
    """The filters as the API is asked for them."""
    query = QueryDict(mutable=True)
    for name in _FILTERS:
        value = options[name]
        if value is not None:
            query.setlist(name, value if isinstance(value, list) else [value])
    if options["label"]:
        query["label"] = ":".join(options["label"])
    return query


def _boost(text: str) -> int:
    return arguments.within(text, 100)
