"""What the commands `pause`, `resume` and `pauses` share: their arguments and their words."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from accounts.models import DEFAULT_TENANT, Tenant
from accounts.terminal import operator
from jobs.exceptions import InvalidPolicy
from jobs.models import Pause, PauseKind
from jobs.operations import Actor
from jobs.terminal.arguments import take_plain_text
from jobs.terminal.reading import tenant
from jobs.terminal.refusal import Refused, in_words
from jobs.terminal.words import plain


def add_target(parser: ArgumentParser) -> None:
    take_plain_text(parser)
    parser.add_argument("kind", choices=PauseKind.values)
    parser.add_argument("target", help="the queue, the type, the tenant's slug, or the key")
    parser.add_argument(
        "--tenant", metavar="SLUG", default=DEFAULT_TENANT, help="whose key; default: default"
    )


def owner(options: dict[str, Any]) -> Tenant | None:
    """Whose key it is. Raises Refused."""
    return tenant(options["tenant"]) if options["kind"] == PauseKind.KEY else None


def by() -> Actor:
    return Actor(name=operator().actor)


@contextmanager
def refusals(kind: str, target: str) -> Iterator[None]:
    """Turns what is refused into words about what was typed."""
    try:
        with in_words():
            yield
    except Refused as error:
        if not isinstance(error.__cause__, InvalidPolicy):
            raise
        told = [
            f"{kind} {target!r} {one.detail}" if one.pointer == "/target" else
            f"--{one.pointer.removeprefix('/')}: {one.detail}"
            for one in error.__cause__.errors
        ]  # fmt: skip
        raise Refused("; ".join(told)) from error


def line(pause: Pause) -> str:
    """`queue mail: paused until 2026-01-31 12:00:00 by user:eve (maintenance)`"""
    of = f" of {pause.tenant}" if pause.kind == PauseKind.KEY else ""
    why = f" ({pause.reason})" if pause.reason else ""
    return plain(f"{pause.kind} {pause.target}{of}: {_lasts(pause)}{why}").replace("\n", " ")


def _lasts(pause: Pause) -> str:
    begun = f"paused by {pause.created_by}"
    if pause.ended_at is not None:
        by_whom = f" by {pause.ended_by}" if pause.ended_by else ""
        return f"{begun}, ended {_clock(pause.ended_at)}{by_whom}"
    if pause.until is None:
        return f"{begun} until it is resumed"
    return f"{begun} until {_clock(pause.until)}"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
