"""Every hostile document ends as a failure with a name, through the real child process."""

import base64
import json
from collections.abc import Callable

import pytest

from tests.workloads.files.archives import with_part
from tests.workloads.files.hostile import (
    HOSTILE,
    SECRET_FILE,
    Hostile,
    huge_picture,
    pdf_with_huge_picture,
)
from tests.workloads.files.office import presentation, word_document
from tests.workloads.recording import context
from workloads.documents import Limits, SourceDocument, open_document
from workloads.notes.job_types import notes_of_file

WITHIN = Limits(wall_seconds=20.0, cpu_seconds=10)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda one: f"{one.what} in {one.file_name}")
def test_a_hostile_document_fails_for_good_with_a_message_for_people(hostile: Hostile) -> None:
    source = SourceDocument(name=hostile.file_name, content=hostile.make())

    with pytest.raises(hostile.ends_in) as caught:
        open_document(source, limits=WITHIN)

    assert issubclass(caught.type, notes_of_file.dont_autoretry_for)
    message = str(caught.value)
    assert message[:1].isupper()
    assert message.endswith(".")
    assert len(message) < 120
    assert SECRET_FILE not in message


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.docx", lambda: with_part(word_document(), "word/media/p.png", huge_picture())),
        ("a.pptx", lambda: with_part(presentation(), "ppt/media/p.png", huge_picture())),
        ("a.pdf", pdf_with_huge_picture),
    ],
)
def test_a_huge_picture_is_never_unpacked(name: str, make: Callable[[], bytes]) -> None:
    """It has 2.5 thousand million dots, far beyond the memory that the reader may take."""
    document = open_document(SourceDocument(name=name, content=make()), limits=WITHIN)

    assert document.blocks
    assert document.warnings == ()


@pytest.mark.parametrize(
    "content", [b"word " * 1_000_000, b"x" * 5_000_000, b"[" * 200_000, b"`" * 1_000_000]
)
def test_a_line_without_an_end_is_read_within_the_limits(content: bytes) -> None:
    document = open_document(SourceDocument(name="a.md", content=content), limits=WITHIN)

    assert len(document.blocks) == 1


def test_a_line_without_an_end_gives_notes_that_a_result_can_hold() -> None:
    content = base64.b64encode(b"x" * 180_000).decode()
    payload = notes_of_file.validated({"file": {"name": "a.txt", "content_base64": content}})

    notes = notes_of_file(context(), **notes_of_file.arguments(payload))

    assert len(json.dumps(notes)) < 100_000
