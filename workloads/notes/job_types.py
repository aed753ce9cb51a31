"""The job types that make notes."""

from dataclasses import replace
from pathlib import PurePath
from typing import Any

from jobs import JobContext, Retry, job_type
from workloads.llm import Busy, Refused, configured_model
from workloads.notes.decoding import DecodedText, clean, decode
from workloads.notes.errors import DocumentError
from workloads.notes.making import make_notes
from workloads.notes.payload import Content, NotesOptions, SourceFile, Title
from workloads.notes.reading import read

TIMEOUT = 1800
PERMANENT = (DocumentError, Refused)
DEFAULT_OPTIONS = NotesOptions()


@job_type(
    "notes.text",
    timeout=TIMEOUT,
    dont_autoretry_for=PERMANENT,
    retry_backoff=10,
    retry_backoff_max=300,
    description="Notes of a text: summary, points by section, key terms, a quiz if wanted.",
)
def notes_of_text(
    context: JobContext,
    *,
    content: Content,
    title: Title | None = None,
    options: NotesOptions = DEFAULT_OPTIONS,
) -> dict[str, Any]:
    """Notes of `content`, as `Notes.as_result` describes them."""
    context.progress(0, "reading")
    return _notes(context, DecodedText(text=clean(content)), title, None, options)


@job_type(
    "notes.file",
    timeout=TIMEOUT,
    dont_autoretry_for=PERMANENT,
    retry_backoff=10,
    retry_backoff_max=300,
    description="Notes of a file (plain text or Markdown), in the form of notes.text.",
)
def notes_of_file(
    context: JobContext,
    *,
    file: SourceFile,
    title: Title | None = None,
    options: NotesOptions = DEFAULT_OPTIONS,
) -> dict[str, Any]:
    """Notes of the file, titled by its first heading, else by its name."""
    context.progress(0, "reading")
    return _notes(context, decode(file.content()), title, PurePath(file.name).stem, options)


def _notes(
    context: JobContext,
    source: DecodedText,
    title: str | None,
    name: str | None,
    options: NotesOptions,
) -> dict[str, Any]:
    document = read(source.text, source.warnings)
    document = replace(document, title=title or document.title or name)
    try:
        notes = make_notes(document, options=options, model=configured_model(), watch=context)
    except Busy as busy:
        raise Retry(after=busy.retry_after, reason=str(busy)) from busy
    return notes.as_result()
