"""The child process that opens documents: its limits bind, and it ends when it should."""

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from jobs import CancelRequested
from tests.support.waiting import wait_for
from tests.workloads.files.archives import archive, docx_parts
from tests.workloads.files.pdf import content_of, objects_of, pdf, raw_pdf, stream
from tests.workloads.recording import Recorder, context
from workloads.documents import (
    Limits,
    OversizedDocument,
    ReaderUnavailable,
    SourceDocument,
    UnreadableDocument,
    open_document,
    opening,
)
from workloads.documents.errors import DocumentError
from workloads.documents.wire import understood
from workloads.notes.job_types import notes_of_file

ROOT = Path(settings.BASE_DIR)
HEAVY = ("lxml", "pypdf", "docx", "pptx", "trafilatura", "defusedxml", "PIL")


def slow_pdf() -> bytes:
    """A small file whose one page takes a minute and more."""
    objects = objects_of([["x"]])
    objects[5] = stream(content_of(["A line that is shown again and again."] * 400_000))
    return raw_pdf(objects)


def large_docx() -> bytes:
    """It takes about 150 MB to be read."""
    words = [f"word{number * 7919 % 100_003}" for number in range(260_000)]
    return archive(docx_parts(*words))


def reads(name: str, content: bytes, limits: Limits) -> None:
    open_document(SourceDocument(name=name, content=content), limits=limits)


@pytest.mark.parametrize(
    ("name", "make", "limits", "limit"),
    [
        ("a.docx", large_docx, Limits(memory_bytes=100_000_000), "memory"),
        ("a.pdf", slow_pdf, Limits(cpu_seconds=1), "time"),
        ("a.pdf", slow_pdf, Limits(wall_seconds=0.5), "time"),
        (
            "a.docx",
            lambda: archive(docx_parts("x" * 9_000)),
            Limits(part_bytes=5_000),
            "part_bytes",
        ),
        ("a.txt", lambda: b"x" * 2_000, Limits(file_bytes=1_000), "file_bytes"),
    ],
    ids=["memory", "processor time", "time", "part", "file"],
)
def test_each_limit_binds_and_says_which_it_was(
    name: str, make: Callable[[], bytes], limits: Limits, limit: str
) -> None:
    with pytest.raises(OversizedDocument) as caught:
        reads(name, make(), limits)

    assert caught.value.data["limit"] == limit
    assert _readers() == []


def test_the_same_documents_are_read_where_the_limits_allow_it() -> None:
    reads("a.docx", large_docx(), Limits(memory_bytes=1_500_000_000))


CONFINED = """
import json, os, resource, subprocess, sys
from workloads.documents.confinement import confine
from workloads.documents.limits import Limits
confine(Limits(), parent=os.getppid())
def tried(act):
    try:
        act()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "done"
def write():
    with open(sys.argv[1], "w") as file:
        file.write("x")
def open_many():
    kept = [open("/dev/null") for _ in range(100)]
print(json.dumps({
    "write": tried(write), "open": tried(open_many), "memory": tried(lambda: bytes(600_000_000)),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "cpu": resource.getrlimit(resource.RLIMIT_CPU),
}))
"""


def test_the_confined_can_write_no_file_and_take_little(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", CONFINED, str(tmp_path / "file")],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip

    assert json.loads(said) == {
        "write": "OSError",
        "open": "OSError",
        "memory": "MemoryError",
        "core": [0, 0],
        "cpu": [30, 31],
    }


def test_the_child_knows_nothing_of_its_parents_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    pids: list[int] = []

    def look() -> None:
        for child in _readers():
            pids.append(child.pid)
            assert child.environ().keys() <= {"LC_CTYPE"}

    source = SourceDocument(name="a.pdf", content=slow_pdf())
    with pytest.raises(OversizedDocument):
        open_document(source, keep_on=look, limits=Limits(wall_seconds=1.0))
    assert pids


def test_a_cancel_ends_the_child_at_once() -> None:
    content = base64.b64encode(slow_pdf()).decode()
    payload = notes_of_file.validated({"file": {"name": "a.pdf", "content_base64": content}})

    with pytest.raises(CancelRequested):
        notes_of_file(context(Recorder(cancel_after=1)), **notes_of_file.arguments(payload))
    assert _readers() == []


PARENT = """
import sys
from collections.abc import Callable
from pathlib import Path
from workloads.documents import SourceDocument, open_document
open_document(SourceDocument(name="a.pdf", content=Path(sys.argv[1]).read_bytes()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the child's alarm ends it, later")
def test_the_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    document = tmp_path / "slow.pdf"
    document.write_bytes(slow_pdf())
    with subprocess.Popen([sys.executable, "-c", PARENT, str(document)], cwd=ROOT) as parent:
        seen = psutil.Process(parent.pid)
        (child,) = wait_for(seen.children, seconds=20, what="the child runs")
        wait_for(lambda: child.cpu_times().user > 0.3, seconds=20, what="the child reads")
        parent.kill()
    wait_for(lambda: not child.is_running(), seconds=10, what="the child has ended")


@pytest.mark.parametrize(
    ("number", "error"),
    [
        (signal.SIGSEGV, UnreadableDocument),
        (signal.SIGABRT, UnreadableDocument),
        (signal.SIGKILL, ReaderUnavailable),
    ],
)
def test_a_child_that_is_struck_down_is_a_failure_like_others(
    number: signal.Signals, error: type[Exception]
) -> None:
    """A crash is the document's doing; SIGKILL came from outside, so another attempt may help."""

    def strike() -> None:
        for child in _readers():
            child.send_signal(number)

    source = SourceDocument(name="a.pdf", content=slow_pdf())
    with pytest.raises(error):
        open_document(source, keep_on=strike)
    assert issubclass(error, notes_of_file.dont_autoretry_for) is issubclass(error, DocumentError)


def test_a_reader_that_cannot_start_is_no_fault_of_the_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))

    with pytest.raises(ReaderUnavailable):
        reads("a.pdf", pdf(["A line."]), Limits())


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"{}", b'{"error": "SystemExit", "message": "", "data": {}}',
        b'{"blocks": [["script", "x", 1, 1]], "title": null, "warnings": []}',
        b'{"blocks": [["paragraph", "x"]], "title": null, "warnings": []}',
    ],
)  # fmt: skip
def test_an_answer_out_of_form_is_not_believed(answer: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        understood(answer)


STARTED = """
import json, sys
import django
django.setup()
from config.celery import app
app.loader.import_default_modules()
assert "notes.file" in app.tasks, sorted(app.tasks)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_a_worker_that_starts_loads_no_document_library() -> None:
    said = subprocess.run(
        [sys.executable, "-c", STARTED],
        cwd=ROOT, env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip

    assert not set(HEAVY).intersection(json.loads(said))


def _readers() -> list[psutil.Process]:
    """The children of this process that read a document. It may have others: the servers of the
    test run, or of other tests."""
    return [
        child
        for child in psutil.Process().children()
        if "workloads.documents.child" in _command_of(child)
    ]


def _command_of(child: psutil.Process) -> list[str]:
    try:
        return child.cmdline()
    except psutil.Error:  # it has just ended
        return []
