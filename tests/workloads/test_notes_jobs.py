"""The notes job types, run as functions with a recording context."""

import base64
import json
from pathlib import Path
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

import pytest
from django.conf import settings as project
from pytest_django import Settings

from accounts.models import Tenant
from jobs import CancelRequested, JobType, Retry
from jobs.exceptions import InvalidPayload
from jobs.testing.fixtures import Jobs
from tests.support.files import storage_at, stored
from tests.workloads import model_server
from tests.workloads.files.archives import with_part
from tests.workloads.model_server import ModelServer
from tests.workloads.recording import Recorder, context
from workloads.documents import EmptyDocument, UnreadableDocument
from workloads.llm import BadAnswer, Refused, Unavailable
from workloads.notes.job_types import notes_of_file, notes_of_text

SAMPLES = Path(project.BASE_DIR) / "workloads" / "notes" / "samples"
DOCUMENTS = ["celeriac.md", "leases-and-fencing.md", "tea.md", "time-zones.txt"]
LONG = "\n\n".join(
    f"## Part {number}\n\n" + "The lease of the holder ends after a while. " * 120
    for number in range(1, 5)
)


def run(
    kind: JobType[..., dict[str, Any]], payload: dict[str, Any], recorder: Recorder | None = None
) -> dict[str, Any]:
    """As the worker does it: stored payload to arguments, function, JSON result."""
    stored = json.loads(json.dumps(kind.validated(payload)))
    result = kind(context(recorder), **kind.arguments(stored))
    return dict(json.loads(json.dumps(result, allow_nan=False)))


def inline(name: str, content: bytes) -> dict[str, str]:
    return {"name": name, "content_base64": base64.b64encode(content).decode()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_samples_give_complete_notes(name: str) -> None:
    content = (SAMPLES / name).read_bytes()

    notes = run(notes_of_file, {"file": inline(name, content), "options": {"quiz": True}})

    assert notes["generation_method"] == "extractive"
    assert notes["model"] is None
    assert notes["language"] == "en"
    assert len(notes["sections"]) >= 5
    assert len(notes["key_terms"]) >= 5
    assert len(notes["quiz"]) >= 3
    assert 600 <= notes["statistics"]["words_in"] <= 1200
    assert 0 < notes["statistics"]["words_out"] < notes["statistics"]["words_in"]
    assert len(notes["summary"].split()) > 30


@pytest.mark.parametrize(
    ("name", "title", "heading"),
    [
        ("sourdough.docx", "Sourdough from flour and water", "Shaping and proofing"),
        ("queues.pptx", "Queues in everyday life", "Little's law"),
        ("printing.odt", "How printing changed Europe", "The long view"),
        ("clocks.epub", "A short history of clocks", "Longitude"),
        ("sleep.pdf", "Why we sleep", "Two forces"),
        ("honey.html", "How bees make honey", "Taking the harvest"),
    ],
)
def test_a_sample_of_each_format_gives_notes_by_its_headings(
    name: str, title: str, heading: str
) -> None:
    file = inline(name, (SAMPLES / name).read_bytes())

    notes = run(notes_of_file, {"file": file, "options": {"quiz": True}})

    assert notes["title"] == title
    assert heading in [section["heading"] for section in notes["sections"]]
    assert 4 <= len(notes["sections"]) <= 8
    assert len(notes["quiz"]) >= 3
    assert 300 <= notes["statistics"]["words_in"] <= 600
    assert notes["warnings"] == []


def test_what_could_not_be_read_of_a_file_is_told_in_the_result() -> None:
    slides = with_part((SAMPLES / "queues.pptx").read_bytes(), "ppt/slides/slide2.xml", b"<")

    notes = run(notes_of_file, {"file": inline("queues.pptx", slides)})

    assert notes["warnings"] == ["Slide 2 could not be read."]
    assert "Little's law" in [section["heading"] for section in notes["sections"]]


def test_the_options_reach_the_notes_of_a_file(ollama: ModelServer) -> None:
    options = {"quiz": True, "language": "nl", "custom_prompt": "Be kind."}
    file = inline("sleep.pdf", (SAMPLES / "sleep.pdf").read_bytes())

    notes = run(notes_of_file, {"file": file, "options": options})

    assert notes["generation_method"] == "ai"
    assert notes["language"] == "nl"
    assert notes["quiz"]
    assert notes["title"] == "Why we sleep"


def test_a_text_gives_notes_without_a_quiz_unless_asked() -> None:
    notes = run(notes_of_text, {"content": "A lease ends by itself."})

    assert set(notes) == {
        "title",
        "summary",
        "sections",
        "key_terms",
        "generation_method",
        "model",
        "language",
        "statistics",
        "warnings",
    }
    assert notes["sections"] == [
        {"heading": "A lease ends by itself.", "points": ["A lease ends by itself."]}
    ]


@pytest.mark.parametrize(
    ("payload", "title"),
    [
        ({"content": "# Own\n\nText here.", "title": "Given"}, "Given"),
        ({"content": "# Own\n\nText here."}, "Own"),
        ({"content": "Text stands here."}, "Text stands here."),
    ],
)
def test_a_title_is_given_or_found(payload: dict[str, Any], title: str) -> None:
    assert run(notes_of_text, payload)["title"] == title


def test_a_file_without_a_heading_is_titled_by_its_name() -> None:
    assert run(notes_of_file, {"file": inline("my notes.txt", b"Text.")})["title"] == "my notes"


def test_progress_goes_through_the_stages_and_never_back() -> None:
    recorder = Recorder()

    run(notes_of_text, {"content": LONG}, recorder)

    assert recorder.messages[0] == "reading"
    assert recorder.messages[1] == "outlining part 1 of 4"
    assert recorder.messages[-1] == "writing the summary"
    assert recorder.percents == sorted(recorder.percents)
    assert recorder.percents[-1] < 100


def test_wishes_that_need_a_model_are_told_of_without_one() -> None:
    notes = run(
        notes_of_text,
        {
            "content": "The lease of the holder ends by itself, and that is all there is to it.",
            "options": {"language": "nl", "custom_prompt": "Make it rhyme."},
        },
    )

    assert notes["language"] == "en"
    assert len(notes["warnings"]) == 2


def test_damaged_text_is_noted_with_a_warning() -> None:
    notes = run(notes_of_file, {"file": inline("a.txt", b"A caf\xe9 stood in the long street.")})

    assert len(notes["warnings"]) == 1


@pytest.mark.parametrize(
    ("content", "error"),
    [(b"", EmptyDocument), (b" \n", EmptyDocument), (b"\0" * 9, UnreadableDocument)],
)
def test_a_file_without_text_fails_for_good(content: bytes, error: type[Exception]) -> None:
    assert issubclass(error, notes_of_file.dont_autoretry_for)
    with pytest.raises(error):
        run(notes_of_file, {"file": inline("a.md", content)})


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"content": ""},
        {"content": "  \n "},
        {"content": 5},
        {"content": "x", "unknown": 1},
        {"content": "x", "title": ""},
        {"content": "x", "options": {"quizz": True}},
        {"content": "x", "options": {"language": "Not a tag"}},
    ],
)
def test_a_text_with_bad_parameters_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidPayload):
        notes_of_text.validated(payload)


@pytest.mark.parametrize(
    "file",
    [
        {"name": "a.md"},
        {"name": "a.md", "content_base64": "not base64!"},
        {"name": "a.md", "content_base64": "", "content_type": 5},
        {"name": "../a.md", "content_base64": ""},
        {"name": "a.md", "content_base64": "", "size": 0},
        {"file_id": "0199"},
    ],
)
def test_a_bad_file_is_refused(file: dict[str, Any]) -> None:
    with pytest.raises(InvalidPayload):
        notes_of_file.validated({"file": file})


@pytest.mark.parametrize(
    ("file", "pointer", "detail"),
    [
        (inline("a/b.pdf", b""), "/file/name", "must be a plain file name"),
        ({"name": "a.pdf"}, "/file/content_base64", "Field required"),
        ({"name": "a", "content_base64": "", "x": 1}, "/file/x", "unknown parameter"),
        ({"file_id": "0199"}, "/file/file_id", ANY),
        ({"file_id": str(uuid4()), "name": "x"}, "/file/name", "unknown parameter"),
        (7, "/file", ANY),
    ],
)
def test_a_refusal_points_at_the_field_and_says_what_is_wanted(
    file: object, pointer: str, detail: str
) -> None:
    with pytest.raises(InvalidPayload) as caught:
        notes_of_file.validated({"file": file})

    assert [(error.pointer, error.detail) for error in caught.value.errors] == [(pointer, detail)]


def test_a_file_handed_in_before_gives_the_same_notes_as_one_in_the_payload(
    celeriac_jobs: Jobs, tmp_path: Path, settings: Settings
) -> None:
    storage_at(tmp_path, settings)
    content = (SAMPLES / "sleep.pdf").read_bytes()
    tenant = Tenant.objects.create(slug="acme")
    file = stored(tenant, content, name="sleep.pdf")

    job = celeriac_jobs.run(notes_of_file, tenant=tenant, file={"file_id": str(file.pk)})

    assert job.result == run(notes_of_file, {"file": inline("sleep.pdf", content)})


@pytest.fixture
def ollama(server: ModelServer, settings: Settings) -> ModelServer:
    settings.OLLAMA_BASE_URL = server.url
    return server


def test_a_configured_model_writes_the_notes(ollama: ModelServer) -> None:
    options = {"quiz": True, "language": "nl", "custom_prompt": "Be kind."}

    notes = run(notes_of_text, {"content": "# T\n\nSome text.", "options": options})

    assert notes["generation_method"] == "ai"
    assert notes["model"] == "llama3.1"
    assert notes["language"] == "nl"
    assert notes["summary"] == model_server.SUMMARY
    assert notes["sections"][0]["heading"] == "A heading"
    assert notes["key_terms"] == ["one", "two"]
    assert notes["quiz"] == [
        {"question": "What are they about?", "answer": "A heading.", "choices": []}
    ]
    assert notes["warnings"] == []
    assert len(ollama.questions) == 3


def test_progress_follows_the_pieces_that_arrive(ollama: ModelServer) -> None:
    recorder = Recorder()

    run(notes_of_text, {"content": "# T\n\nSome text."}, recorder)

    outlining = [p for p, message in recorder.said if message.startswith("outlining")]
    assert len(set(outlining)) > 2
    assert recorder.percents == sorted(recorder.percents)


def test_a_long_document_is_asked_for_in_chunks(ollama: ModelServer) -> None:
    recorder = Recorder()

    run(notes_of_text, {"content": LONG}, recorder)

    assert sum(question.startswith("Take notes") for question in ollama.questions) == 4
    assert "outlining part 4 of 4" in recorder.messages


@pytest.mark.parametrize("bad", [0, 1, 3])
def test_a_chunk_without_an_answer_is_extracted_with_a_warning(
    ollama: ModelServer, bad: int
) -> None:
    ollama.queue = [model_server.well_behaved] * bad + [model_server.sending(b"broken\n")]

    notes = run(notes_of_text, {"content": LONG})

    assert notes["generation_method"] == "ai"
    assert len(notes["warnings"]) == 1
    assert f"part {bad + 1} of 4" in notes["warnings"][0]
    assert f"Part {bad + 1}" in [section["heading"] for section in notes["sections"]]


def test_a_summary_and_a_quiz_that_fail_are_extracted_with_warnings(ollama: ModelServer) -> None:
    ollama.queue = [model_server.well_behaved]
    ollama.behaviour = model_server.saying("")

    notes = run(notes_of_text, {"content": "# T\n\nSome text here.", "options": {"quiz": True}})

    assert notes["generation_method"] == "ai"
    assert notes["summary"] == "Some text here."
    assert len(notes["warnings"]) == 2


@pytest.mark.parametrize(
    ("behaviour", "error", "retryable"),
    [
        (model_server.answering(500), Unavailable, True),
        (model_server.sending(b"broken\n"), BadAnswer, True),
        (model_server.answering(404), Refused, False),
    ],
)
def test_a_model_that_fails_is_no_reason_to_extract_unawares(
    ollama: ModelServer, behaviour: model_server.Behaviour, error: type[Exception], retryable: bool
) -> None:
    ollama.behaviour = behaviour

    with pytest.raises(error):
        run(notes_of_text, {"content": LONG})

    assert issubclass(error, notes_of_text.dont_autoretry_for) is not retryable
    assert len(ollama.questions) <= 2


def test_a_job_for_a_busy_model_comes_again_when_that_said(
    celeriac_jobs: Jobs, ollama: ModelServer
) -> None:
    ollama.queue = [model_server.answering(429, Retry_After="42")]
    assert celeriac_jobs.run(notes_of_text, content="Some text.").status == "scheduled"

    celeriac_jobs.advance(seconds=30)
    assert celeriac_jobs.drain() == []
    celeriac_jobs.advance(seconds=12)
    assert [job.status for job in celeriac_jobs.drain()] == ["completed"]


def test_a_busy_model_is_asked_again_when_it_said(ollama: ModelServer) -> None:
    ollama.behaviour = model_server.answering(429, Retry_After="42")

    with pytest.raises(Retry) as caught:
        run(notes_of_text, {"content": "Some text."})
    assert caught.value.after == 42


def test_a_model_that_is_away_fails_the_attempt(settings: Settings) -> None:
    with ModelServer() as gone:
        settings.OLLAMA_BASE_URL = gone.url

    with pytest.raises(Unavailable):
        run(notes_of_text, {"content": "Some text."})


def test_a_cancelled_job_leaves_a_silent_model_at_once(ollama: ModelServer) -> None:
    ollama.behaviour = model_server.silent

    with pytest.raises(CancelRequested):
        run(notes_of_text, {"content": "Some text."}, Recorder(cancel_after=3))


def test_a_cancelled_job_takes_no_more_notes() -> None:
    recorder = Recorder(cancel_after=2)

    with pytest.raises(CancelRequested):
        run(notes_of_text, {"content": LONG}, recorder)
    assert len(recorder.said) == 2
