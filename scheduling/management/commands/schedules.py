"""`manage.py schedules …`: look at schedules and act on them from the terminal."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.access import Access
from accounts.api.moment import shown
from accounts.models import DEFAULT_TENANT
from jobs.operations import Actor
from jobs.terminal.reading import access_to, tenant
from jobs.terminal.refusal import REFUSED, Refused, in_words
from jobs.terminal.screen import screen, until_the_reader_leaves, write_json
from jobs.terminal.words import clock
from scheduling import previewing, timeline, verbs
from scheduling.api.documents import schedule_document
from scheduling.api.reach import schedules_of
from scheduling.backfilling import backfill
from scheduling.declared import synchronise
from scheduling.definition import Definition
from scheduling.exceptions import InvalidSchedule
from scheduling.handing_in import WAITS_ALREADY
from scheduling.terminal.arguments import add_verbs
from scheduling.terminal.filling import filled_documents, filled_lines
from scheduling.terminal.page import show_schedule
from scheduling.terminal.reading import current, firings, found, removal_in_words
from scheduling.terminal.runs import in_zone, run_documents, run_table
from scheduling.terminal.syncing import synchronised_lines
from scheduling.terminal.tables import line, schedule_table, state


class Command(BaseCommand):
    help = (
        "Looks at schedules and acts on them. A schedule is named by its name or its id. Exit "
        "status 2 where something was refused."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_verbs(parser)

    def handle(self, *, verb: str, **options: Any) -> None:
        act: Callable[[Access, dict[str, Any]], int] = {
            "list": self._list, "show": self._show, "preview": self._preview,
            "enable": self._enable, "disable": self._disable, "run": self._run,
            "backfill": self._backfill, "sync": self._sync, "timeline": self._timeline,
        }[verb]  # fmt: skip
        with until_the_reader_leaves(), in_words(), removal_in_words():
            status = act(access_to(options.get("tenant")), options)
        if status:
            sys.exit(status)

    def _list(self, access: Access, options: dict[str, Any]) -> int:
        rows = schedules_of(access).order_by("name", "pk")
        if options["type"]:
            rows = rows.filter(type=options["type"])
        known = [schedule_document(one, access) for one in rows[: options["limit"] + 1]]
        told, more = known[: options["limit"]], len(known) > options["limit"]
        if options["json"]:
            write_json(self.stdout, {"items": told, "more": more})
            return 0
        if told:
            screen(self.stdout).print(schedule_table(told))
        else:
            self.stderr.write("There is no schedule.", str)
        if more:
            self.stderr.write(f"These are the first {len(told)}; --limit shows more.", str)
        return 0

    def _show(self, access: Access, options: dict[str, Any]) -> int:
        schedule = found(options["name"], access)
        told, latest = schedule_document(schedule, access), firings(schedule)
        if options["json"]:
            write_json(self.stdout, {**told, "firings": latest})
        else:
            show_schedule(told, latest, screen(self.stdout))
        return 0

    def _preview(self, access: Access, options: dict[str, Any]) -> int:
        given = Definition(
            name="", type="", cron_expression=options["expression"],
            timezone=options["timezone"], dst_policy=options["dst_policy"],
        )  # fmt: skip
        with _mistakes_in_words():
            coming = previewing.preview(
                access.tenant or tenant(DEFAULT_TENANT), given,
                now=timezone.now(), count=options["count"],
            )  # fmt: skip
        if options["json"]:
            times = [shown(one) for one in coming.next]
            write_json(self.stdout, {"next": times, "in_words": coming.in_words})
            return 0
        self.stdout.write(coming.in_words)
        for moment in coming.next:
            self.stdout.write(in_zone(moment, options["timezone"]))
        return 0

    def _timeline(self, access: Access, options: dict[str, Any]) -> int:
        coming = timeline.coming(schedules_of(access), now=timezone.now(), hours=options["hours"])
        if options["json"]:
            items, whole = run_documents(coming.runs), shown(coming.complete_until)
            write_json(self.stdout, {"items": items, "complete_until": whole})
            return 0
        if coming.runs:
            screen(self.stdout).print(run_table(coming.runs))
        else:
            self.stderr.write(f"Nothing runs in the next {options['hours']} hours.", str)
        if coming.complete_until < coming.end:
            until = clock(str(shown(coming.complete_until)))
            self.stderr.write(f"There is more after {until} than is shown.", str)
        return 0

    def _enable(self, access: Access, options: dict[str, Any]) -> int:
        return self._switch(access, options, enabled=True)

    def _disable(self, access: Access, options: dict[str, Any]) -> int:
        return self._switch(access, options, enabled=False)

    def _switch(self, access: Access, options: dict[str, Any], *, enabled: bool) -> int:
        """Each for itself: one that is refused stops no other."""
        status, changed = 0, []
        for text in options["names"]:
            try:
                with in_words(), removal_in_words():
                    schedule = found(text, access)
                    verbs.toggle(schedule, _by(access), enabled=enabled)
                    changed.append(current(schedule, access))
            except Refused as error:
                self.stderr.write(f"{text}: {error}")
                status = REFUSED
        if options["json"]:
            write_json(self.stdout, {"items": changed})
        for one in [] if options["json"] else changed:
            self.stdout.write(_told(one))
        return status

    def _run(self, access: Access, options: dict[str, Any]) -> int:
        done = verbs.hand_in(found(options["name"], access), _by(access))
        if options["json"]:
            write_json(self.stdout, {"job_id": str(done.job.pk)})
        else:
            self.stdout.write(str(done.job.pk))
        if not done.created:
            self.stderr.write(f"No new job: {WAITS_ALREADY}.", str)
        return 0

    def _backfill(self, access: Access, options: dict[str, Any]) -> int:
        filled = backfill(
            found(options["name"], access), options["from"], options["to"], _by(access),
            dry_run=options["dry_run"],
        )  # fmt: skip
        if options["json"]:
            write_json(self.stdout, {"items": filled_documents(filled)})
            return 0
        for each in filled_lines(filled):
            self.stdout.write(each)
        if not filled:
            self.stderr.write("It has no moment there.", str)
        return 0

    def _sync(self, access: Access, options: dict[str, Any]) -> int:
        done = synchronise(_by(access), prune=options["prune"], dry_run=options["dry_run"])
        if options["json"]:
            write_json(self.stdout, dataclasses.asdict(done))
        else:
            for each in synchronised_lines(done):
                self.stdout.write(each)
            if not any(dataclasses.asdict(done).values()):
                self.stderr.write("No schedule is declared in code.", str)
        return REFUSED if done.refused else 0


def _by(access: Access) -> Actor:
    return Actor(name=access.principal.actor)


def _told(schedule: dict[str, Any]) -> str:
    """`nightly: on, next run 2026-01-31 02:00:00`"""
    next_run = schedule["next_run_at"]
    rest = f", next run {clock(next_run)}" if next_run else ""
    return line(f"{schedule['name']}: {state(schedule)}{rest}")


@contextmanager
def _mistakes_in_words() -> Iterator[None]:
    """What is wrong with an expression is told as it was typed: it is no option."""
    try:
        yield
    except InvalidSchedule as error:
        told = [
            one.detail if one.pointer == "/cron_expression" else
            f"--{one.pointer.removeprefix('/')}: {one.detail}"
            for one in error.errors
        ]  # fmt: skip
        raise Refused("; ".join(told)) from error
