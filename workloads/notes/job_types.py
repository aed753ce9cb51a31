"""The job types that make notes."""

from dataclasses import replace
from pathlib import PurePath
from typing import Any

from jobs import JobContext, Retry, job_type
from workloads.documents import DocumentError, SourceDocument, open_document
from workloads.documents.decoding import clean
from workloads.llm import Busy, Refused, configured_model
from workloads.notes.document import Document
from workloads.notes.fitting import fitted
from workloads.notes.making import make_notes
from workloads.notes.payload import Content, NotesOptions, SourceFile, Title, source_of
from workloads.notes.reading import assemble, read

TIMEOUT = 1800
PERMANENT = (DocumentError, Refused)
DEFAULT_OPTIONS = NotesOptions()


@job_type(
    "notes.text",
    timeout=TIMEOUT,
    dont_autoretry_for=PERMANENT,
    retry_backoff=10,
    retry_backoff_max=300,
    result_retention_hours=None,
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
    document = read(clean(content))
    return _notes(context, document, title or document.title, options)


@job_type(
    "notes.file",
    timeout=TIMEOUT,
    dont_autoretry_for=PERMANENT,
    retry_backoff=10,
    retry_backoff_max=300,
    result_retention_hours=None,
    description="Notes of a file: text, Markdown, HTML, PDF, docx, pptx, odt or epub.",
)
def notes_of_file(
    context: JobContext,
    *,
    file: SourceFile,
    title: Title | None = None,
    options: NotesOptions = DEFAULT_OPTIONS,
) -> dict[str, Any]:
    """Notes of the file, titled by its first heading, else by its name.

    What of it could not be read is named in the result's `warnings`.
    """
    context.progress(0, "reading")
    document = _document(source_of(file), context)
    return _notes(context, document, title or document.title or PurePath(file.name).stem, options)


def _document(source: SourceDocument, context: JobContext) -> Document:
    opened = open_document(source, keep_on=context.raise_if_cancelled)
    return assemble(opened.blocks, opened.warnings, opened.title)


def _notes(
    context: JobContext, document: Document, title: str | None, options: NotesOptions
) -> dict[str, Any]:
    document = replace(document, title=title)
    try:
        notes = make_notes(document, options=options, model=configured_model(), watch=context)
    except Busy as busy:
        raise Retry(after=busy.retry_after, reason=str(busy)) from busy
    return fitted(notes).as_result()
