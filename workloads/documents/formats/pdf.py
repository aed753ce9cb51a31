"""PDF: the text of each page, put together to paragraphs by `pdf_lines`."""

from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from workloads.documents.errors import (
    EmptyDocument,
    EncryptedDocument,
    OversizedDocument,
    UnreadableDocument,
)
from workloads.documents.formats.pdf_lines import blocks_of
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.source import SourceDocument

_MOST_NAMED = 10


def read(source: SourceDocument, limits: Limits, gathering: Gathering) -> None:
    """Gather the pages; those that cannot be read are named in a warning."""
    try:
        reader = _opened(source.content)
        count = len(reader.pages)
    except LimitReachedError as error:
        raise OversizedDocument(
            "The PDF is built too large or in a circle.", limit="pdf"
        ) from error
    texts = _texts(reader, count, limits, gathering)
    gathering.title = _title(reader)
    for block in blocks_of(texts, _headings(reader)):
        gathering.add(block)
    if not gathering.blocks:
        raise EmptyDocument(
            "The PDF contains no text. Pictures of pages, as scanners make them, are not read."
        )


def _opened(content: bytes) -> PdfReader:
    try:
        reader = PdfReader(BytesIO(content), strict=False)
        # Many files are closed to printing only: everybody may read them.
        if reader.is_encrypted and not reader.decrypt(""):
            raise EncryptedDocument
    except DependencyError as error:  # a cipher nobody here knows
        raise EncryptedDocument from error
    return reader


def _texts(reader: PdfReader, count: int, limits: Limits, gathering: Gathering) -> list[str]:
    texts: list[str] = []
    failed: list[int] = []
    for number in range(min(count, limits.pages)):
        try:
            texts.append(reader.pages[number].extract_text())
        except (MemoryError, LimitReachedError) as error:
            if count == 1:
                raise OversizedDocument("The PDF's page is too large.", limit="page") from error
            failed.append(number + 1)
        except Exception:  # noqa: BLE001 (pypdf raises what it likes; the other pages may be whole)
            failed.append(number + 1)
    if failed and not texts:
        raise UnreadableDocument("None of the pages could be read.")
    _warn(gathering, failed, count, limits)
    return texts


def _warn(gathering: Gathering, failed: list[int], count: int, limits: Limits) -> None:
    if failed:
        gathering.warn(_could_not_be_read(failed))
    if count > limits.pages:
        gathering.warn(f"Only the first {limits.pages} of {count} pages were read.")


def _could_not_be_read(pages: list[int]) -> str:
    if len(pages) == 1:
        return f"Page {pages[0]} could not be read."
    named = ", ".join(map(str, pages[:_MOST_NAMED]))
    more = f" and {len(pages) - _MOST_NAMED} more" if len(pages) > _MOST_NAMED else ""
    return f"{len(pages)} pages could not be read: {named}{more}."


def _title(reader: PdfReader) -> str | None:
    try:
        title = reader.metadata.title if reader.metadata else None
    except (PyPdfError, ValueError, TypeError, AttributeError, KeyError):
        return None
    return title if isinstance(title, str) else None


def _headings(reader: PdfReader) -> dict[str, int]:
    """The bookmarks' titles with their levels: where there are any, they name the headings."""
    try:
        return dict(_flattened(reader.outline, 1))
    except Exception:  # noqa: BLE001 (bookmarks are often broken, and not needed)
        return {}


def _flattened(outline: object, level: int) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for entry in outline if isinstance(outline, list) else []:
        if isinstance(entry, list):
            found += _flattened(entry, level + 1)
        else:
            found.append((" ".join(str(entry.title).split()), level))
    return found
