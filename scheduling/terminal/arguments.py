"""What `manage.py schedules` takes."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from jobs.terminal import arguments
from scheduling import previewing, timeline
from scheduling.cron import DstPolicy

_COUNT, _HOURS = 5, 24


def add_verbs(parser: ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_looks(parts)
    for name in ("enable", "disable"):
        switch = _verb(parts, name, f"{name} schedules")
        switch.add_argument("names", nargs="+", metavar="name")
    _verb(parts, "run", "a run by hand, now").add_argument("name")
    _add_backfill(_verb(parts, "backfill", "jobs for moments of the past that have none"))
    sync = parts.add_parser("sync", help="bring what is declared in code up to date")
    sync.add_argument("--json", action="store_true", help="one JSON document")
    sync.add_argument("--prune", action="store_true", help="remove what is declared no longer")
    sync.add_argument("--dry-run", action="store_true", help="only tell")


def _verb(parts: Any, name: str, told: str) -> ArgumentParser:
    verb: ArgumentParser = parts.add_parser(name, help=told)
    arguments.add_shared(verb)
    return verb


def _add_looks(parts: Any) -> None:
    listing = _verb(parts, "list", "by name")
    listing.add_argument("--type")
    arguments.add_limit(listing)
    _verb(parts, "show", "all that is known of one, and its latest runs").add_argument("name")
    _add_preview(_verb(parts, "preview", "what an expression means, and when it would run"))
    coming = _verb(parts, "timeline", "the coming runs of all, by time")
    told = f"1 to {timeline.LONGEST_HOURS}, default {_HOURS}"
    coming.add_argument("--hours", type=_hours, default=_HOURS, help=told)


def _add_preview(parser: ArgumentParser) -> None:
    parser.add_argument("expression", help="five fields, @daily, or @every 30m; quoted")
    parser.add_argument("--timezone", default="UTC", help="such as Europe/Amsterdam")
    kinds = [policy.value for policy in DstPolicy]
    parser.add_argument("--dst-policy", choices=kinds, default=DstPolicy.ONCE.value)
    told = f"1 to {previewing.MOST}, default {_COUNT}"
    parser.add_argument("--count", type=_count, default=_COUNT, help=told)


def _add_backfill(parser: ArgumentParser) -> None:
    parser.add_argument("name")
    for name, told in (("from", "from this moment on"), ("to", "and before this one")):
        parser.add_argument(
            f"--{name}", type=arguments.at, required=True, metavar="2026-01-31T12:00:00Z", help=told
        )
    parser.add_argument("--dry-run", action="store_true", help="only tell")


def _hours(text: str) -> int:
    return arguments.within(text, timeline.LONGEST_HOURS)


def _count(text: str) -> int:
    return arguments.within(text, previewing.MOST)
