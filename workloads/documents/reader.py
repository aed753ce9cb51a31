"""Any document to its blocks. Runs in the child only."""

from importlib import import_module

from workloads.documents.block import Opened
from workloads.documents.errors import EmptyDocument
from workloads.documents.kinds import DocumentKind, is_named_otherwise, kind_of
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.source import SourceDocument

# By name, so that one format's libraries are not loaded for another.
_READERS = {
    DocumentKind.TEXT: "plain_text",
    DocumentKind.HTML: "web_page",
    DocumentKind.PDF: "pdf",
    DocumentKind.DOCX: "word",
    DocumentKind.PPTX: "slides",
    DocumentKind.ODT: "open_document",
    DocumentKind.EPUB: "epub",
}


def read_document(source: SourceDocument, limits: Limits) -> Opened:
    """The blocks of the document; raises `DocumentError`, and whatever libraries raise."""
    kind = kind_of(source, limits)
    gathering = Gathering(limits)
    if is_named_otherwise(source.name, kind):
        gathering.warn(f"The file is not what its name says; it was read as {kind}.")
    reader = import_module(f"workloads.documents.formats.{_READERS[kind]}")
    reader.read(source, limits, gathering)
    if not gathering.blocks:
        raise EmptyDocument
    return gathering.opened()
