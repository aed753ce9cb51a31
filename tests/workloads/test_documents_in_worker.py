"""Documents in a real worker, whose children are prefork processes of Celery."""

import base64
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django import DjangoDbBlocker

from jobs.states import Status
from tests.support.arena import Arena
from tests.workloads.files.hostile import HOSTILE
from tests.workloads.files.office import presentation, word_document
from tests.workloads.files.pdf import pdf

# One of each family; all of them are in test_hostile_documents.py.
FAMILIES = (
    "zeros packed a thousand to one", "a billion laughs", "a stream packed twice",
    "a form in itself", "a page tree in a circle", "nothing", "noise", "deep HTML",
)  # fmt: skip


@pytest.fixture
def arena(django_db_blocker: DjangoDbBlocker) -> Iterator[Arena]:
    home = Path(tempfile.mkdtemp(prefix="celeriac-documents-"))
    with Arena.at(home).open() as arena, django_db_blocker.unblock(), arena.entered():
        yield arena
        print(arena.new_log_lines())  # noqa: T201 (pytest shows it with a failure only)
    shutil.rmtree(home, ignore_errors=True)


def test_hostile_documents_fail_once_and_the_workers_children_live_on(arena: Arena) -> None:
    hostile = [one for one in HOSTILE if one.what in FAMILIES and one.file_name != "a.html"]
    arena.dispatcher(LEASE_SECONDS="30")  # no attempt may be lost to a busy machine
    worker = arena.worker(LEASE_SECONDS="30")
    children = worker.children()

    jobs = [notes_of(arena, one.file_name, one.make) for one in hostile]
    honest = [
        notes_of(arena, "a.docx", word_document),
        notes_of(arena, "a.pptx", presentation),
        notes_of(arena, "a.pdf", lambda: pdf(["Bread is made of flour, water and time."])),
    ]

    for job, one in zip(jobs, hostile, strict=True):
        ended = arena.wait_for_status(job, Status.FAILED, seconds=90)
        assert ended.error
        assert ended.attempt == 1, one.what
        assert ended.error["type"] in {kind.__name__ for kind in family(one.ends_in)}, one.what
        assert ended.error["message"].endswith(".")
    for job in honest:
        done = arena.wait_for_status(job, Status.COMPLETED, seconds=90)
        assert done.result
        assert done.result["sections"]
    assert worker.children() == children


def notes_of(arena: Arena, name: str, make: Callable[[], bytes]) -> UUID:
    content = base64.b64encode(make()).decode()
    return arena.enqueue("notes.file", file={"name": name, "content_base64": content}).pk


def family(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *kind.__subclasses__()]
