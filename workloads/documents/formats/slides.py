"""Presentations (pptx): slide after slide, the title as heading, then its text and the notes."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from workloads.documents.archive import Archive
from workloads.documents.block import Block, Kind
from workloads.documents.errors import UnreadableDocument
from workloads.documents.formats.relations import main_part, related
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.markup import attribute, child, local_name, parse_xml
from workloads.documents.source import SourceDocument

_TITLES = frozenset({"title", "ctrTitle"})
_FURNITURE = frozenset({"sldNum", "dt", "ftr", "hdr", "sldImg"})
_NOT_BODY = _TITLES | _FURNITURE
_BULLETED = frozenset({"body", "obj", ""})  # what a placeholder without a type is


def read(source: SourceDocument, limits: Limits, gathering: Gathering) -> None:
    """Gather the slides; one that cannot be read is named in a warning."""
    archive = Archive(source.content, limits)
    names = _slides(archive, limits)
    failed = 0
    for number, name in enumerate(names, start=1):
        if gathering.is_full:
            return
        try:
            found = [*_slide(archive, name, number, limits)]
        except UnreadableDocument:
            failed += 1
            gathering.warn(f"Slide {number} could not be read.")
            continue
        for block in found:
            gathering.add(block)
    if names and failed == len(names):
        raise UnreadableDocument("None of the slides could be read.")


def _slides(archive: Archive, limits: Limits) -> list[str]:
    """The names of the slides' parts, in the order they are shown, each once."""
    main = main_part(archive, limits, fallback="ppt/presentation.xml")
    parts = related(archive, main, limits, kind="slide")
    shown = child(parse_xml(archive.read(main), limits), "sldIdLst")
    ids = [_relation_id(slide) for slide in shown] if shown is not None else []
    return list(dict.fromkeys(parts[slide] for slide in ids if slide in parts))


def _relation_id(slide: Element) -> str:
    """`r:id`, which stands beside a plain `id`."""
    return next((value for key, value in slide.attrib.items() if key.endswith("}id")), "")


def _slide(archive: Archive, name: str, number: int, limits: Limits) -> Iterator[Block]:
    shapes = [*_shapes(parse_xml(archive.read(name), limits))]
    titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
    title = " ".join(text for shape in titles for text in _paragraphs(shape))
    level = 1 if any(_placeholder(shape) == "ctrTitle" for shape in titles) else 2
    yield Block(kind="heading", text=title.strip() or f"Slide {number}", level=level)
    for shape in shapes:
        if local_name(shape) == "graphicFrame":
            yield from _table(shape)
        elif _placeholder(shape) not in _NOT_BODY:
            kind: Kind = "item" if _placeholder(shape) in _BULLETED else "paragraph"
            yield from (Block(kind=kind, text=text) for text in _paragraphs(shape))
    yield from _notes(archive, name, limits)


def _notes(archive: Archive, slide: str, limits: Limits) -> Iterator[Block]:
    """What the speaker means to say."""
    for name in related(archive, slide, limits, kind="notesSlide").values():
        for shape in _shapes(parse_xml(archive.read(name), limits)):
            if _placeholder(shape) == "body":
                yield from (Block(kind="paragraph", text=text) for text in _paragraphs(shape))


def _shapes(element: Element) -> Iterator[Element]:
    """Shapes and tables in their order, those of groups and of first choices too."""
    for part in element:
        name = local_name(part)
        if name in {"sp", "graphicFrame"}:
            yield part
        elif name != "Fallback":
            yield from _shapes(part)


def _placeholder(shape: Element) -> str | None:
    """The kind of placeholder the shape fills, "" where none is named, None for a free shape."""
    found = child(shape, "nvSpPr", "nvPr", "ph")
    return None if found is None else attribute(found, "type") or ""


def _paragraphs(shape: Element) -> Iterator[str]:
    body = child(shape, "txBody")
    for paragraph in body if body is not None else ():
        if local_name(paragraph) == "p" and (text := "".join(_texts(paragraph)).strip()):
            yield text


def _texts(paragraph: Element) -> Iterator[str]:
    for part in paragraph.iter():
        if local_name(part) == "t":
            yield part.text or ""
        elif local_name(part) in {"br", "tab"}:
            yield " "


def _table(frame: Element) -> Iterator[Block]:
    if any(local_name(part) == "tbl" for part in frame.iter()):
        yield Block(kind="table")
