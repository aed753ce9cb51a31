"""Electronic books (EPUB): the chapters in reading order."""

from posixpath import dirname, join, normpath
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from workloads.documents.archive import Archive
from workloads.documents.block import Block
from workloads.documents.errors import EncryptedDocument, UnreadableDocument
from workloads.documents.formats.html_blocks import html_blocks, parse_xhtml
from workloads.documents.limited import Gathering
from workloads.documents.limits import Limits
from workloads.documents.markup import attribute, child, local_name, parse_xml
from workloads.documents.source import SourceDocument

_ENCRYPTION = "META-INF/encryption.xml"
_HTML_TYPES = frozenset({"application/xhtml+xml", "text/html"})


def read(source: SourceDocument, limits: Limits, gathering: Gathering) -> None:
    """Gather the chapters; one that cannot be read is named in a warning."""
    archive = Archive(source.content, limits)
    package_name = _package_name(archive, limits)
    package = parse_xml(archive.read(package_name), limits)
    chapters = _chapters(package, dirname(package_name))
    _refuse_protected(archive, chapters, limits)
    _begin(package, gathering)
    failed = 0
    for number, name in enumerate(chapters, start=1):
        if gathering.is_full:
            return
        try:
            found = [*html_blocks(parse_xhtml(archive.read(name), limits))]
        except UnreadableDocument:
            failed += 1
            gathering.warn(f"Chapter {number} ({name.rpartition('/')[2]}) could not be read.")
            continue
        for block in found:
            gathering.add(block)
    if chapters and failed == len(chapters):
        raise UnreadableDocument("None of the chapters could be read.")


def _package_name(archive: Archive, limits: Limits) -> str:
    container = parse_xml(archive.read("META-INF/container.xml"), limits)
    rootfile = child(container, "rootfiles", "rootfile")
    name = attribute(rootfile, "full-path") if rootfile is not None else None
    if not name:
        raise UnreadableDocument(reason="no package document")
    return name


def _begin(package: Element, gathering: Gathering) -> None:
    """The book's title is its highest heading."""
    title = child(package, "metadata", "title")
    if title is not None and title.text:
        gathering.add(Block(kind="heading", text=title.text, level=1))


def _chapters(package: Element, folder: str) -> list[str]:
    """The chapters' files in reading order, each once, the table of contents left out."""
    manifest, spine = child(package, "manifest"), child(package, "spine")
    if manifest is None or spine is None:
        raise UnreadableDocument(reason="no reading order")
    items = {attribute(item, "id"): item for item in manifest if local_name(item) == "item"}
    read = [items.get(attribute(entry, "idref")) for entry in spine]
    names = (
        normpath(join(folder, unquote(attribute(item, "href") or "")))
        for item in read
        if item is not None
        and attribute(item, "media-type") in _HTML_TYPES
        and "nav" not in (attribute(item, "properties") or "").split()
    )
    return list(dict.fromkeys(names))


def _refuse_protected(archive: Archive, chapters: list[str], limits: Limits) -> None:
    """Books often have their fonts encrypted, which does not concern the reader."""
    if _ENCRYPTION not in archive.names:
        return
    root = parse_xml(archive.read(_ENCRYPTION), limits)
    closed = {
        attribute(part, "URI") for part in root.iter() if local_name(part) == "CipherReference"
    }
    if closed.intersection(chapters):
        raise EncryptedDocument
