"""`manage.py failures …`: dead letters by group, from the terminal."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.http import QueryDict

from accounts.access import Access
from jobs import bulk, bulk_verbs, failures
from jobs.api.failures import failure_document, wanted_of
from jobs.api.filters import condition
from jobs.bulk import Call, Done, Verb
from jobs.failures import MOST_GROUPS, Group
from jobs.models import Job
from jobs.operations import Actor
from jobs.terminal import arguments
from jobs.terminal.failure_table import failure_table
from jobs.terminal.reading import access_to
from jobs.terminal.refusal import REFUSED, Refused, in_words
from jobs.terminal.screen import screen, until_the_reader_leaves, write_json

_SHORTEST = 8
_CALLS = 100_000  # each of a thousand jobs: until the group is done

VERBS: dict[str, tuple[str, str, Callable[[], Verb]]] = {
    "retry": ("run all jobs that failed alike again", "queued again", bulk_verbs.retry),
    "discard": ("discard all jobs that failed alike", "discarded", bulk_verbs.discard),
}


class Command(BaseCommand):
    help = (
        "Dead letters by what they failed of. A fingerprint may be cut short, to eight digits at "
        "least, as long as no other begins so. Exit status 2 where something was refused."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        _add_list(verbs.add_parser("list", help="the group with the newest job first"))
        for name, (told, _, _) in VERBS.items():
            act = verbs.add_parser(name, help=told)
            act.add_argument("fingerprints", nargs="+", metavar="fingerprint")
            act.add_argument("--dry-run", action="store_true", help="only say how many")
            arguments.add_shared(act)

    def handle(self, *, verb: str, **options: Any) -> None:
        with until_the_reader_leaves(), in_words():
            access = access_to(options["tenant"])
            status = self._list(access, options) if verb == "list" else 0
            if verb in VERBS:
                status = self._act(verb, access, options)
        if status:
            sys.exit(status)

    def _list(self, access: Access, options: dict[str, Any]) -> int:
        asked = {name: options[name] or "" for name in ("type", "queue")}
        condition(_query(asked))  # refuses what no job could have
        wanted = replace(wanted_of(access), type=asked["type"], queue=asked["queue"])
        groups = failures.groups_of(wanted, options["limit"] + 1)
        shown = [failure_document(group, access) for group in groups[: options["limit"]]]
        if options["json"]:
            write_json(self.stdout, {"items": shown, "more": len(groups) > len(shown)})
            return 0
        console = screen(self.stdout)
        console.print(failure_table(shown, console))
        if len(groups) > len(shown):
            self.stderr.write(f"These are the first {len(shown)}; --limit shows more.", str)
        return 0

    def _act(self, verb: str, access: Access, options: dict[str, Any]) -> int:
        """Each group for itself, of each tenant where all are meant."""
        status, told = 0, []
        for text in options["fingerprints"]:
            try:
                groups = _found(text, access)
            except Refused as error:
                self.stderr.write(f"{text}: {error}")
                status = REFUSED
                continue
            for group in groups:
                told.append(_done(verb, group, access, dry_run=options["dry_run"]))
        self._tell(verb, told, options)
        return REFUSED if any(one["refused"] for one in told) else status

    def _tell(self, verb: str, told: Sequence[dict[str, Any]], options: dict[str, Any]) -> None:
        if options["json"]:
            write_json(self.stdout, {"items": list(told)})
            return
        for one in told:
            if options["dry_run"]:
                self.stdout.write(f"{one['fingerprint']}  {one['tenant']}: {_jobs(one)} to {verb}")
                continue
            self.stdout.write(
                f"{one['fingerprint']}  {one['tenant']}: {one['changed']:,} {VERBS[verb][1]}"
            )
            for reason, number in one["refused"].items():
                self.stderr.write(f"{number:,} left alone: {reason}")


def _done(verb: str, group: Group, access: Access, *, dry_run: bool) -> dict[str, Any]:
    tenant = group.sample.tenant
    told = {"fingerprint": group.name, "tenant": tenant.slug, "matched": group.count.number}
    told |= {"matched_exact": group.count.exact, "changed": 0, "refused": {}}
    if dry_run:
        return told
    call = Call(rows=Job.objects.all(), tenant=tenant, by=Actor(name=access.principal.actor))
    changed, refused = 0, {}
    for done in bulk.whole_group(VERBS[verb][2](), group.name, call, calls=_CALLS):
        changed += done.changed
        refused = _refused(done)
    return {**told, "changed": changed, "refused": refused}


def _refused(last: Done) -> dict[str, int]:
    """Those that are left, by the reason."""
    return dict(Counter(one.error for one in last.results if one.error is not None))


def _jobs(told: dict[str, Any]) -> str:
    more = "" if told["matched_exact"] else "more than "
    return f"{more}{told['matched']:,} {'job' if told['matched'] == 1 else 'jobs'}"


def _found(text: str, access: Access) -> list[Group]:
    """The groups of this fingerprint, one for each tenant. Raises Refused."""
    wanted, start = wanted_of(access), text.strip().lower()
    if start != failures.NO_FINGERPRINT and len(start) < 32:
        if len(start) < _SHORTEST:
            raise Refused(f"its first {_SHORTEST} digits at least are needed.")
        known = {group.name for group in failures.groups_of(wanted, MOST_GROUPS)}
        fitting = [name for name in known if name.startswith(start)]
        if len(fitting) > 1:
            raise Refused("more than one fingerprint begins so; give more of it.")
        start = fitting[0] if fitting else start
    groups = failures.groups_of(replace(wanted, fingerprint=failures.column_of(start)), MOST_GROUPS)
    if not groups:
        raise Refused("there are no dead letters of this kind.")
    return groups


def _query(asked: dict[str, str]) -> QueryDict:
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in asked.items() if value})
    return query


def _add_list(parser: ArgumentParser) -> None:
    arguments.add_shared(parser)
    parser.add_argument("--type")
    parser.add_argument("--queue", help="groups whose newest job is in this queue")
    arguments.add_limit(parser)
