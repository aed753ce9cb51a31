"""`manage.py enqueue TYPE`: hand in one job from the terminal, and wait for it if wanted."""

from __future__ import annotations

import difflib
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.access import Access
from accounts.models import DEFAULT_TENANT
from jobs import registry
from jobs.enqueue import Enqueued, JobOptions, enqueue
from jobs.exceptions import UnknownJobType, UnknownQueue
from jobs.models import Queue
from jobs.terminal import arguments
from jobs.terminal.reading import access_to, current
from jobs.terminal.refusal import Refused, in_words
from jobs.terminal.screen import until_the_reader_leaves, write_json
from jobs.terminal.waiting import wait_for_end
from jobs.terminal.words import happening


class Command(BaseCommand):
    help = (
        "Hands in a job and prints its id; with --wait it follows the job and prints the result. "
        "Exit status: 0 handed in (with --wait: completed), 1 failed or cancelled, 2 refused."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        arguments.take_plain_text(parser)
        add = parser.add_argument
        add("type", help="the job type, as in diagnostics.sleep")
        add(
            "--payload",
            type=arguments.payload,
            default={},
            metavar="JSON",
            help="a JSON object; @FILE reads it from a file, - from standard input",
        )
        add("--wait", action="store_true", help="until it has ended; Ctrl-C leaves the job alone")
        add("--json", action="store_true", help="print the job as one JSON document")
        add("--tenant", default=DEFAULT_TENANT, metavar="SLUG", help="default: default")
        add("--queue", help="default: the type's")
        add("--priority", type=arguments.priority, help="urgent, high, normal, low or 0 to 100")
        add("--delay", type=arguments.seconds, help="start no sooner: seconds, or 5m, 2h, 1d")
        add("--run-at", type=arguments.at, metavar="TIME", help="as in 2026-01-31T12:00:00Z")
        add("--max-retries", type=int, metavar="N")
        add("--retry-backoff", metavar="POLICY", help="default, crawler, fixed_30s or none")
        add("--timeout", type=int, metavar="SECONDS", help="of one attempt")
        add(
            "--unique-key",
            default="",
            metavar="KEY",
            help="no second job while one with this key is active",
        )
        add("--unique-for", type=arguments.seconds, help="the key is taken so long: as --delay")
        add("--on-duplicate", default="existing", help="replace: change the job that waits")
        add("--debounce", type=arguments.seconds, help="start when nobody asked for so long")
        add(
            "--label",
            type=arguments.label,
            action="append",
            default=[],
            dest="labels",
            metavar="KEY=VALUE",
            help="repeatable",
        )
        add("--owner", default="", help="whom the job belongs to within the tenant")
        add("--webhook-url", default="", metavar="URL", help="told when it completes or fails")

    def handle(self, *args: Any, **options: Any) -> None:
        status = 0
        with until_the_reader_leaves(), in_words():
            status = self._handle(options)
        if status:
            sys.exit(status)

    def _handle(self, options: dict[str, Any]) -> int:
        access = access_to(options["tenant"])
        made = _enqueue(access, options)
        job = current(made.job.pk, access)
        if not made.created:
            self.stderr.write(_already(made), str)
        if options["wait"]:
            return wait_for_end(job, access, self.stdout, self.stderr, as_json=options["json"])
        self._show(job, as_json=options["json"])
        return 0

    def _show(self, job: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            write_json(self.stdout, job)
        else:
            self.stdout.write(job["id"])
            self.stderr.write(f"{job['type']}, {job['level']}: {happening(job)}.", str)


def _enqueue(access: Access, options: dict[str, Any]) -> Enqueued:
    try:
        return enqueue(
            access.one_tenant, options["type"], options["payload"], _options(access, options)
        )
    except UnknownJobType as error:
        own = "If it is in an app of yours, name the app in CELERIAC_APPS, best in .env."
        raise Refused(f"{error} {_offer(options['type'])} {own}") from error
    except UnknownQueue as error:
        known = Queue.objects.filter(internal=False).order_by("pk")
        names = ", ".join(known.values_list("pk", flat=True))
        raise Refused(f"{error} There are: {names}.") from error


def _options(access: Access, options: dict[str, Any]) -> JobOptions:
    return JobOptions(
        queue=options["queue"],
        priority=options["priority"],
        run_at=options["run_at"],
        delay_seconds=options["delay"],
        max_retries=options["max_retries"],
        timeout_seconds=options["timeout"],
        retry_backoff=options["retry_backoff"],
        unique_key=options["unique_key"],
        unique_for_seconds=options["unique_for"],
        on_duplicate=options["on_duplicate"],
        debounce_seconds=options["debounce"],
        labels=dict(options["labels"]),
        owner=options["owner"],
        created_by=access.principal.actor,
        webhook_url=options["webhook_url"],
    )


def _already(made: Enqueued) -> str:
    if made.replaced:
        return "A waiting job held this unique key; it is now as you asked."
    return "A job holds this unique key already."


def _offer(name: str) -> str:
    """Types that may have been meant, else all of them."""
    names = sorted(job_type.name for job_type in registry.public())
    close = difflib.get_close_matches(name, names, n=3)
    return f"Did you mean {' or '.join(close)}?" if close else f"There are: {', '.join(names)}."
