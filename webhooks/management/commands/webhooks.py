"""`manage.py webhooks …`: look at webhooks and act on them from the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.access import Access
from jobs.operations import Actor
from jobs.terminal.reading import access_to
from jobs.terminal.refusal import REFUSED, Refused, in_words
from jobs.terminal.screen import screen, until_the_reader_leaves, write_json
from webhooks import redelivering, verbs
from webhooks.api.deliveries_documents import delivery_document
from webhooks.api.documents import endpoint_document, endpoint_documents
from webhooks.api.reach import endpoints_of
from webhooks.api.searching import Search, find
from webhooks.redelivering import Replayed
from webhooks.terminal.arguments import add_verbs
from webhooks.terminal.page import show_endpoint
from webhooks.terminal.reading import (
    current_delivery,
    current_endpoint,
    found_delivery,
    found_endpoint,
    removal_in_words,
)
from webhooks.terminal.tables import delivery_table, endpoint_table, line, state

_NEWEST = 10


class Command(BaseCommand):
    help = (
        "Looks at webhook endpoints and deliveries and acts on them. An endpoint is named by its "
        "id, the beginning of it, or its URL. Exit status 2 where something was refused."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_verbs(parser)

    def handle(self, *, verb: str, **options: Any) -> None:
        act: Callable[[Access, dict[str, Any]], int] = {
            "list": self._list, "show": self._show, "test": self._test, "enable": self._enable,
            "rotate-secret": self._rotate, "replay": self._replay,
            "deliveries": self._deliveries, "redeliver": self._redeliver,
        }[verb]  # fmt: skip
        with until_the_reader_leaves(), in_words(), removal_in_words():
            status = act(access_to(options.get("tenant")), options)
        if status:
            sys.exit(status)

    def _list(self, access: Access, options: dict[str, Any]) -> int:
        rows = list(endpoints_of(access).order_by("-pk")[: options["limit"] + 1])
        told = endpoint_documents(rows[: options["limit"]], access)
        self._tell_items(told, len(rows) > len(told), endpoint_table, options)
        return 0

    def _show(self, access: Access, options: dict[str, Any]) -> int:
        endpoint = found_endpoint(options["endpoint"], access)
        search = Search(endpoint_id=endpoint.pk)
        newest = find(search, access, below=None, most=_NEWEST).deliveries
        told = endpoint_document(endpoint, access)
        deliveries = [delivery_document(one, access) for one in newest]
        if options["json"]:
            write_json(self.stdout, {**told, "deliveries": deliveries})
        else:
            show_endpoint(told, deliveries, screen(self.stdout))
        return 0

    def _test(self, access: Access, options: dict[str, Any]) -> int:
        sent = verbs.test(found_endpoint(options["endpoint"], access), _by(access))
        if options["json"]:
            write_json(self.stdout, current_delivery(sent, access))
        else:
            self.stdout.write(str(sent.pk))
        return 0

    def _rotate(self, access: Access, options: dict[str, Any]) -> int:
        endpoint = found_endpoint(options["endpoint"], access)
        secret = verbs.rotate_secret(endpoint, _by(access), keep_for=options["keep"])
        if options["json"]:
            write_json(self.stdout, {"secret": secret})
        else:
            self.stdout.write(secret)
            self.stderr.write("Nobody can read it again.", str)
        return 0

    def _enable(self, access: Access, options: dict[str, Any]) -> int:
        since, done = options["replay_since"], None
        with transaction.atomic():
            row = verbs.enable(found_endpoint(options["endpoint"], access), _by(access))
            if since is not None:
                done = redelivering.replay(row, _by(access), since=since)
        told = current_endpoint(row, access)
        if options["json"]:
            write_json(self.stdout, {**told, **({"replayed": asdict(done)} if done else {})})
            return 0
        self.stdout.write(line(f"{told['url']}: {state(told)}"))
        if done:
            self.stdout.write(_replayed(done))
        return 0

    def _replay(self, access: Access, options: dict[str, Any]) -> int:
        since, until = options["since"], options["until"]
        if until is not None and until <= since:
            raise Refused("--until: is not after --since")
        done = redelivering.replay_on(
            found_endpoint(options["endpoint"], access), _by(access), since=since, until=until,
            failed_only=not options["all"], most_calls=sys.maxsize,
        )  # fmt: skip
        if options["json"]:
            write_json(self.stdout, asdict(done))
        else:
            self.stdout.write(_replayed(done))
        return 0

    def _deliveries(self, access: Access, options: dict[str, Any]) -> int:
        search, limit = _search(access, options), options["limit"]
        found = find(search, access, below=None, most=limit + 1)
        told = [delivery_document(one, access) for one in found.deliveries[:limit]]
        more = len(found.deliveries) > limit or found.seen_to is not None
        self._tell_items(told, more, delivery_table, options)
        return 0

    def _redeliver(self, access: Access, options: dict[str, Any]) -> int:
        """Each for itself: one that is refused stops no other."""
        status, sent = 0, []
        for text in options["deliveries"]:
            try:
                with in_words(), removal_in_words():
                    delivery = redelivering.redeliver(found_delivery(text, access), _by(access))
                    sent.append(current_delivery(delivery, access))
            except Refused as error:
                self.stderr.write(f"{text}: {error}")
                status = REFUSED
        if options["json"]:
            write_json(self.stdout, {"items": sent})
        for one in [] if options["json"] else sent:
            self.stdout.write(f"{one['id']}: {one['status']}")
        return status

    def _tell_items(
        self, told: list[dict[str, Any]], more: bool, table: Callable[..., Any],
        options: dict[str, Any],
    ) -> None:  # fmt: skip
        if options["json"]:
            write_json(self.stdout, {"items": told, "more": more})
            return
        if told:
            screen(self.stdout).print(table(told))
        else:
            self.stderr.write("There is none." if not more else "None of the newest.", str)
        if more:
            self.stderr.write(f"These are the newest {len(told)}; --limit shows more.", str)


def _by(access: Access) -> Actor:
    return Actor(name=access.principal.actor)


def _replayed(done: Replayed) -> str:
    number = done.deliveries
    told = f"{number} {'delivery is' if number == 1 else 'deliveries are'} sent again"
    return f"{told}; there are more: `replay` sends them." if done.more else f"{told}."


def _search(access: Access, options: dict[str, Any]) -> Search:
    named = options["endpoint"]
    return Search(
        endpoint_id=found_endpoint(named, access).pk if named else None,
        job_id=_job_id(options["job"]) if options["job"] else None,
        **{name: options[name] for name in ("event", "status", "since", "until")},
    )


def _job_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(f"--job: {text!r} is no id.") from None
