"""Time that passes when a test says so.

PostgreSQL's clock decides about jobs and cannot be turned. So not the clock moves but the jobs:
`advance` puts every moment in their rows so much earlier, which to the engine is the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import models
from django.db.models import F

from jobs.models import (
    Attempt,
    Batch,
    Dependency,
    Job,
    KeyState,
    LogLine,
    Pause,
    RateUse,
    StoredFile,
    Workflow,
)

# Those of processes are left out (leases of leaders, signs of life), and those of the statistics.
_MOVED: tuple[type[models.Model], ...] = (
    Job, Attempt, LogLine, Dependency, Batch, Workflow, Pause, KeyState, RateUse, StoredFile,
)  # fmt: skip


class FakeClock:
    """How much time has passed, and how more of it does. Made by `fake_clock`."""

    def __init__(self) -> None:
        self.passed = timedelta()

    def advance(self, by: timedelta | None = None, **parts: float) -> None:
        """Let time pass: `clock.advance(minutes=5)`, or a timedelta."""
        step = (by or timedelta()) + timedelta(**parts)
        if step < timedelta():
            raise ValueError("time does not go back")
        let_pass(step)


_turned: list[FakeClock] = []


@contextmanager
def fake_clock() -> Iterator[FakeClock]:
    """A clock to turn. At the end the rows get their true moments back."""
    clock = FakeClock()
    _turned.append(clock)
    try:
        yield clock
    finally:
        _turned.remove(clock)
        move_everything(clock.passed)


def let_pass(step: timedelta) -> None:
    """So much time passes, on every clock that is in use."""
    move_everything(-step)
    for clock in _turned:
        clock.passed += step


def move_everything(by: timedelta) -> None:
    """Move every moment of every job, and of what belongs to jobs."""
    if by:
        for model in _MOVED:
            rows: Any = model._default_manager
            rows.update(**{name: F(name) + by for name in _moments(model)})


def _moments(model: type[models.Model]) -> list[str]:
    return [each.name for each in model._meta.fields if isinstance(each, models.DateTimeField)]
