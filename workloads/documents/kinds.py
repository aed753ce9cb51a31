"""What kind of document it is: by its content first, by its name only among texts."""

from enum import StrEnum
from pathlib import PurePath

from workloads.documents.archive import Archive
from workloads.documents.errors import (
    EmptyDocument,
    EncryptedDocument,
    UnreadableDocument,
    UnsupportedDocument,
)
from workloads.documents.limits import Limits
from workloads.documents.source import SourceDocument


class DocumentKind(StrEnum):
    """The kinds that can be read, by the names people know them under."""

    TEXT = "text"
    HTML = "HTML"
    PDF = "PDF"
    DOCX = "Word (docx)"
    PPTX = "PowerPoint (pptx)"
    ODT = "OpenDocument text (odt)"
    EPUB = "EPUB"


SUFFIXES = {
    ".txt": DocumentKind.TEXT,
    ".text": DocumentKind.TEXT,
    ".md": DocumentKind.TEXT,
    ".markdown": DocumentKind.TEXT,
    ".html": DocumentKind.HTML,
    ".htm": DocumentKind.HTML,
    ".xhtml": DocumentKind.HTML,
    ".pdf": DocumentKind.PDF,
    ".docx": DocumentKind.DOCX,
    ".pptx": DocumentKind.PPTX,
    ".odt": DocumentKind.ODT,
    ".epub": DocumentKind.EPUB,
}

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of doc, xls, ppt and of encrypted docx
_OTHERS = (
    (b"\x89PNG\r\n", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"BM", "a picture"),
    (b"II*\0", "a picture"),
    (b"MM\0*", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"BZh", "a compressed file"),
    (b"7z\xbc\xaf", "an archive"),
    (b"Rar!\x1a", "an archive"),
    (b"\xfd7zXZ", "a compressed file"),
    (b"ID3", "a recording"),
    (b"OggS", "a recording"),
    (b"RIFF", "a picture or a recording"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "an RTF document"),
)
_MAIN_PARTS = (
    ("wordprocessingml.document.main+xml", DocumentKind.DOCX),
    ("word.document.macroEnabled.main+xml", DocumentKind.DOCX),
    ("presentationml.presentation.main+xml", DocumentKind.PPTX),
    ("presentationml.slideshow.main+xml", DocumentKind.PPTX),
    ("powerpoint.presentation.macroEnabled.main+xml", DocumentKind.PPTX),
)


def kind_of(source: SourceDocument, limits: Limits) -> DocumentKind:
    """The kind; raises a `DocumentError` for every file that is none of them."""
    content = source.content
    if not content.strip(b"\0 \t\r\n\f\xef\xbb\xbf\xff\xfe") and b"\0" not in content[4:]:
        raise EmptyDocument("The file is empty.")
    if b"%PDF-" in content[:1024]:
        return DocumentKind.PDF
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_archive(Archive(content, limits))
    if content.startswith(_OLE):
        _refuse_ole(content)
    _refuse_others(content)
    return DocumentKind.HTML if _is_html(source) else DocumentKind.TEXT


def is_named_otherwise(name: str, kind: DocumentKind) -> bool:
    """Whether the name promises another kind, or one nobody knows."""
    suffix = PurePath(name).suffix.lower()
    if kind is DocumentKind.TEXT and suffix not in SUFFIXES:
        return False  # README, notes.org, main.c: any text may be called anything
    return SUFFIXES.get(suffix) is not kind


def _kind_of_archive(archive: Archive) -> DocumentKind:
    if "[Content_Types].xml" in archive.names:
        return _kind_of_office(archive.read("[Content_Types].xml"))
    mimetype = archive.read("mimetype").strip() if "mimetype" in archive.names else b""
    if mimetype.startswith(b"application/vnd.oasis.opendocument.text"):
        return DocumentKind.ODT
    if mimetype == b"application/epub+zip" or "META-INF/container.xml" in archive.names:
        return DocumentKind.EPUB
    if mimetype.startswith(b"application/vnd.oasis"):
        raise UnsupportedDocument("OpenDocument files other than texts cannot be read.")
    raise UnsupportedDocument("Archives cannot be read. Hand in the documents one by one.")


def _kind_of_office(content_types: bytes) -> DocumentKind:
    declared = content_types.decode("utf-8", "replace")
    for part, kind in _MAIN_PARTS:
        if part in declared:
            return kind
    if "spreadsheetml" in declared:
        raise UnsupportedDocument("Spreadsheets cannot be read.")
    raise UnreadableDocument(reason="an Office file without a document")


def _refuse_ole(content: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise EncryptedDocument
    raise UnsupportedDocument(
        "Office files of the old kind (doc, ppt, xls) cannot be read. Save it as docx or pptx."
    )


def _refuse_others(content: bytes) -> None:
    for mark, what in _OTHERS:
        if content.startswith(mark) and not (mark == b"BM" and b"\0" not in content[:16]):
            raise UnsupportedDocument(f"The file is {what}, not a document with text.")
    if content[4:8] == b"ftyp":
        raise UnsupportedDocument("The file is a video or a recording, not a document with text.")


def _is_html(source: SourceDocument) -> bool:
    start = source.content[:4096].replace(b"\0", b"").lower()
    if b"<!doctype html" in start or b"<html" in start:
        return start.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")
    declared = (source.content_type or "").partition(";")[0].strip().lower()
    suffix = PurePath(source.name).suffix.lower()
    return SUFFIXES.get(suffix) is DocumentKind.HTML or (
        declared in _HTML_TYPES and suffix not in SUFFIXES
    )
