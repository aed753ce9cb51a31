"""Tells of mistakes in schedules that are declared in code, before beat meets them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, register

from jobs import recurring, registry
from jobs.exceptions import UnknownJobType
from jobs.recurring import DeclaredSchedule
from scheduling.declared import as_definition
from scheduling.definition import mistakes


@register("scheduling")
def declared_schedules_can_be_made(**_: Any) -> list[CheckMessage]:
    """One error for each mistake that can be seen without the database: `schedules sync` tells of
    tenants and calendars that are not there."""
    return [error for declared in recurring.all() for error in _errors(declared)]


def _errors(declared: DeclaredSchedule) -> Iterator[Error]:
    for one in mistakes(as_definition(declared)):
        yield Error(
            f"{declared.name!r}, {_place(one.pointer)}: {one.detail}",
            hint="Beat leaves this schedule out until its declaration is mended.",
            obj=_where(declared),
            id="celeriac.E030",
        )


def _place(pointer: str) -> str:
    return pointer.removeprefix("/").replace("/", ".")


def _where(declared: DeclaredSchedule) -> str:
    """`job type mail.send (mail.tasks.send)`"""
    try:
        origin = registry.get(declared.type).origin
    except UnknownJobType:
        return f"job type {declared.type}"
    return f"job type {declared.type} ({origin})"
