"""What the demonstration hands in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

SAMPLES = Path(settings.BASE_DIR) / "workloads" / "notes" / "samples"
LABELS = {"demo": "sample"}


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A job to be made: its name on the screen, and the body of `POST /jobs`.

    A `file` goes first, by `POST /files`; the payload then names it.
    """

    name: str
    body: dict[str, Any]
    file: Path | None = None

    @property
    def makes_notes(self) -> bool:
        return str(self.body["type"]).startswith("notes.")

    def with_file(self, file_id: str) -> dict[str, Any]:
        """The body, with the stored file in the payload."""
        payload = {**self.body["payload"], "file": {"file_id": file_id}}
        return {**self.body, "payload": payload}


def submissions() -> list[Submission]:
    """Five documents and two diagnostic jobs, the least urgent first.

    In that order, so that one can watch the urgent ones overtake.
    """
    return [
        _submission("a slow job", "diagnostics.sleep", "low", {"seconds": 4.0, "steps": 40}),
        _file("sleep.pdf", "low"),
        _file("honey.html", "normal"),
        _submission(
            "fails once, then works",
            "diagnostics.fail",
            "normal",
            {"times": 1, "message": "This failure is part of the demonstration."},
        ),
        _file("queues.pptx", "normal"),
        _file("clocks.epub", "high"),
        _text("leases-and-fencing.md", "urgent"),
    ]


def _text(name: str, priority: str) -> Submission:
    content = (SAMPLES / name).read_text("utf-8")
    payload = {"content": content, "options": {"quiz": True}}
    return _submission(name, "notes.text", priority, payload)


def _file(name: str, priority: str) -> Submission:
    options = {"options": {"quiz": True}}
    return _submission(name, "notes.file", priority, options, file=SAMPLES / name)


def _submission(
    name: str, job_type: str, priority: str, payload: dict[str, Any], file: Path | None = None
) -> Submission:
    body = {"type": job_type, "priority": priority, "labels": LABELS, "payload": payload}
    return Submission(name=name, body=body, file=file)
