"""Workflows, and a worker's part played by the engine's own verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs import lifecycle
from jobs.models import Job, OnFailure
from jobs.operations import Actor
from jobs.workflows import After, HandedIn, Step
from tests.jobs.kinds import ECHO
from tests.jobs.making import ERROR, fresh, start

EVE = Actor(name="user:eve")


def echo(*after: After | str, **payload: Any) -> Step:
    return Step(type_name=ECHO, payload=payload, after=after)


def anyway(step: str) -> After:
    """Also if that step fails."""
    return After(step=step, on_failure=OnFailure.RUN)


def or_fail(step: str) -> After:
    return After(step=step, on_failure=OnFailure.FAIL)


def succeed(made: HandedIn, *steps: str, result: Any = "done") -> None:
    for step in steps:
        lifecycle.complete(start(fresh(made.jobs[step])), result=result)


def fail(made: HandedIn, *steps: str) -> None:
    for step in steps:
        lifecycle.fail(start(fresh(made.jobs[step])), error=ERROR)


def now(made: HandedIn) -> Mapping[str, str]:
    """Each step and the status of its job."""
    rows = Job.objects.filter(workflow=made.workflow).order_by("seq")
    return dict(rows.values_list("step", "status"))
