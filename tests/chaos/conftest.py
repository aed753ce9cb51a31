"""One arena for all kill tests; each begins with an empty one and shows its logs if it fails."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from jobs import registry
from jobs.job_type import JobType
from tests.support.arena import Arena
from tests.support.saboteur import sabotage_as_told


@pytest.fixture(scope="session", autouse=True)
def _sabotage() -> None:
    """Of a run of `python -m tests.sabotage`; of no other."""
    sabotage_as_told()


@pytest.fixture(scope="session")
def _open_arena() -> Iterator[Arena]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-arena-"))
    with Arena.at(home).open() as arena:
        yield arena
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def arena(_open_arena: Arena, django_db_blocker: DjangoDbBlocker) -> Iterator[Arena]:
    """An arena in which nothing runs yet."""
    with django_db_blocker.unblock(), _test_job_types(), _open_arena.entered():
        yield _open_arena
        sys.stdout.write(_open_arena.new_log_lines())  # pytest shows it with a failure only


@pytest.fixture
def arena_at_work(_open_arena: Arena, django_db_blocker: DjangoDbBlocker) -> Iterator[Arena]:
    """An arena with a dispatcher, and a worker of two slots named `worker`. What ran in it before
    has ended, but its rows are still there."""
    with django_db_blocker.unblock(), _test_job_types(), _open_arena.entered_at_work():
        _open_arena.new_log_lines()
        yield _open_arena
        sys.stdout.write(_open_arena.new_log_lines())


@contextmanager
def _test_job_types() -> Iterator[None]:
    """Known to this process while it hands them in, and to no other test."""
    tasks = import_module("tests.testapp.tasks")
    own = [one for one in vars(tasks).values() if isinstance(one, JobType)]
    for one in own:
        registry.register(one)
    try:
        yield
    finally:
        for one in own:
            registry._types.pop(one.name)
