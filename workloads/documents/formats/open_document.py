"""OpenDocument texts (odt)."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from workloads.documents.archive import Archive
from workloads.documents.block import Block
from workloads.documents.errors import EncryptedDocument, UnreadableDocument
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.markup import attribute, child, local_name, parse_xml, parts_named
from workloads.documents.source import SourceDocument

_MANIFEST = "META-INF/manifest.xml"
_NOT_TEXT = frozenset(
    {"note", "annotation", "annotation-end", "tracked-changes", "frame", "custom-shape"}
)
_WRAPPERS = frozenset({"section", "index-body", "text-box", "list-header"})
_GROUPS_OF_ROWS = frozenset({"table-header-rows", "table-rows", "table-row-group"})


def read(source: SourceDocument, limits: Limits, gathering: Gathering) -> None:
    """Gather the body, tables of contents left out."""
    archive = Archive(source.content, limits)
    if _MANIFEST in archive.names and b"encryption-data" in archive.read(_MANIFEST):
        raise EncryptedDocument
    root = parse_xml(archive.read("content.xml"), limits)
    text = child(root, "body", "text")
    if text is None:
        raise UnreadableDocument(reason="no body")
    for block in _blocks(text, _titles(root)):
        gathering.add(block)
        if gathering.is_full:
            return


def _titles(root: Element) -> frozenset[str]:
    """The names of the styles in which the title is set: the one of that name and its heirs."""
    automatic = child(root, "automatic-styles")
    heirs = [
        attribute(style, "name") or ""
        for style in (automatic if automatic is not None else ())
        if attribute(style, "parent-style-name") == "Title"
    ]
    return frozenset(["Title", *heirs])


def _blocks(container: Element, titles: frozenset[str], *, listed: bool = False) -> Iterator[Block]:
    for element in container:
        match local_name(element):
            case "h":
                level = attribute(element, "outline-level") or ""
                text = "".join(_texts(element))
                yield Block(kind="heading", text=text, level=_level(level))
            case "p":
                yield _paragraph(element, titles, listed=listed)
                yield from _text_boxes(element, titles)
            case "list":
                for item in element:
                    yield from _blocks(item, titles, listed=True)
            case "table":
                yield from _table(element, titles)
            case name if name in _WRAPPERS:
                yield from _blocks(element, titles, listed=listed)


def _level(declared: str) -> int:
    return max(1, int(declared)) if declared.isdecimal() else 1


def _paragraph(element: Element, titles: frozenset[str], *, listed: bool) -> Block:
    text = "".join(_texts(element))
    if attribute(element, "style-name") in titles:
        return Block(kind="heading", text=text, level=1)
    return Block(kind="item" if listed else "paragraph", text=text)


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for part in element:
        name = local_name(part)
        if name in {"s", "tab", "line-break"}:
            yield " "
        elif name not in _NOT_TEXT:
            yield from _texts(part)
        yield part.tail or ""


def _text_boxes(element: Element, titles: frozenset[str]) -> Iterator[Block]:
    for part in element:
        if local_name(part) == "text-box":
            yield from _blocks(part, titles)
        else:
            yield from _text_boxes(part, titles)


def _table(table: Element, titles: frozenset[str]) -> Iterator[Block]:
    """A table of one column is there for the looks, and holds text."""
    rows = parts_named(table, "table-row", _GROUPS_OF_ROWS)
    cells = [[*parts_named(row, "table-cell")] for row in rows]
    if any(len(row) > 1 for row in cells):
        yield Block(kind="table")
        return
    for row in cells:
        for cell in row:
            yield from _blocks(cell, titles)
