"""Word documents (docx): the body's paragraphs, with headings and lists by their styles."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from workloads.documents.archive import Archive
from workloads.documents.block import Block
from workloads.documents.errors import UnreadableDocument
from workloads.documents.formats.relations import main_part, related
from workloads.documents.formats.word_styles import PLAIN, Style, styles_of
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.markup import attribute, child, local_name, parse_xml, parts_named
from workloads.documents.source import SourceDocument

_WRAPPERS = frozenset({"sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo"})
# The text of a fallback stands in the choice beside it; deleted text is no text.
_NOT_TEXT = frozenset({"Fallback", "txbxContent", "del", "moveFrom", "pPr", "rPr", "instrText"})
_SPACES = frozenset({"tab", "br", "cr", "ptab"})


def read(source: SourceDocument, limits: Limits, gathering: Gathering) -> None:
    """Gather the body. Without readable styles the text comes, its headings maybe not."""
    archive = Archive(source.content, limits)
    main = main_part(archive, limits, fallback="word/document.xml")
    styles = _styles(archive, main, limits, gathering)
    body = child(parse_xml(archive.read(main), limits), "body")
    if body is None:
        raise UnreadableDocument(reason="no body")
    for block in _blocks(body, styles):
        gathering.add(block)
        if gathering.is_full:
            return


def _styles(archive: Archive, main: str, limits: Limits, gathering: Gathering) -> dict[str, Style]:
    try:
        names = list(related(archive, main, limits, kind="styles").values())
        return styles_of(parse_xml(archive.read(names[0]), limits)) if names else {}
    except UnreadableDocument:
        gathering.warn("The styles could not be read, so headings may be missing.")
        return {}


def _blocks(container: Element, styles: dict[str, Style]) -> Iterator[Block]:
    for element in container:
        match local_name(element):
            case "p":
                yield _paragraph(element, styles)
                yield from _text_boxes(element, styles)
            case "tbl" if _has_columns(element):
                yield Block(kind="table")
            case "tbl":
                for row in parts_named(element, "tr", _WRAPPERS):
                    for cell in parts_named(row, "tc", _WRAPPERS):
                        yield from _blocks(cell, styles)
            case name if name in _WRAPPERS:
                yield from _blocks(element, styles)


def _paragraph(paragraph: Element, styles: dict[str, Style]) -> Block:
    style = _style(paragraph, styles)
    text = "".join(_texts(paragraph))
    if style.level:
        return Block(kind="heading", text=text, level=style.level)
    return Block(kind="item" if style.is_list else "paragraph", text=text)


def _style(paragraph: Element, styles: dict[str, Style]) -> Style:
    properties = child(paragraph, "pPr")
    if properties is None:
        return PLAIN
    named = child(properties, "pStyle")
    style = styles.get(attribute(named, "val") or "", PLAIN) if named is not None else PLAIN
    return style.with_own(properties)


def _texts(element: Element) -> Iterator[str]:
    for part in element:
        name = local_name(part)
        if name == "t":
            yield part.text or ""
        elif name in _SPACES:
            yield " "
        elif name == "noBreakHyphen":
            yield "-"
        elif name not in _NOT_TEXT:
            yield from _texts(part)


def _text_boxes(element: Element, styles: dict[str, Style]) -> Iterator[Block]:
    for part in element:
        if local_name(part) == "txbxContent":
            yield from _blocks(part, styles)
        elif local_name(part) != "Fallback":
            yield from _text_boxes(part, styles)


def _has_columns(table: Element) -> bool:
    """A table of one column is there for the looks, and holds text."""
    rows = parts_named(table, "tr", _WRAPPERS)
    return any(len([*parts_named(row, "tc", _WRAPPERS)]) > 1 for row in rows)
