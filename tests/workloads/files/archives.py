"""ZIP archives and the documents that are ones, part by part."""

from collections.abc import Mapping
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OASIS = "urn:oasis:names:tc:opendocument:xmlns"

Parts = dict[str, bytes]


def archive(parts: Mapping[str, bytes]) -> bytes:
    """A ZIP archive; an entry `mimetype` is stored unpacked."""
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as made:
        for name, content in parts.items():
            packing = ZIP_STORED if name == "mimetype" else ZIP_DEFLATED
            made.writestr(name, content, packing, 9)
    return stream.getvalue()


def with_part(document: bytes, name: str, content: bytes) -> bytes:
    """The document with this part added or in place of its own."""
    with ZipFile(BytesIO(document)) as whole:
        parts = {entry: whole.read(entry) for entry in whole.namelist()}
    return archive({**parts, name: content})


def part_of(document: bytes, name: str) -> bytes:
    with ZipFile(BytesIO(document)) as whole:
        return whole.read(name)


def docx_parts(*paragraphs: str, body: str = "") -> Parts:
    """The smallest Word document; `body` is further XML."""
    shown = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in paragraphs)
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{TYPES}">'
            f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
        ).encode(),
        "_rels/.rels": (
            f'<Relationships xmlns="{RELATIONS}"><Relationship Id="r1" '
            f'Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
        ).encode(),
        "word/document.xml": (
            f'<w:document xmlns:w="{WORD}"><w:body>{shown}{body}</w:body></w:document>'
        ).encode(),
    }


def odt_parts(text: str) -> Parts:
    """The smallest OpenDocument text around this XML."""
    return {
        "mimetype": b"application/vnd.oasis.opendocument.text",
        "META-INF/manifest.xml": (
            f'<m:manifest xmlns:m="{OASIS}:manifest:1.0"><m:file-entry m:full-path="content.xml" '
            'm:media-type="text/xml"/></m:manifest>'
        ).encode(),
        "content.xml": (
            f'<o:document-content xmlns:o="{OASIS}:office:1.0" xmlns:t="{OASIS}:text:1.0" '
            f'xmlns:s="{OASIS}:style:1.0" xmlns:tb="{OASIS}:table:1.0" '
            f'xmlns:d="{OASIS}:drawing:1.0"><o:automatic-styles>'
            '<s:style s:name="P1" s:parent-style-name="Title"/></o:automatic-styles>'
            f"<o:body><o:text>{text}</o:text></o:body></o:document-content>"
        ).encode(),
    }


def epub_parts(*chapters: bytes, title: str = "A book") -> Parts:
    """A book of these chapters, which are XHTML, behind a table of contents."""
    names = [f"chapter{number}.xhtml" for number in range(1, len(chapters) + 1)]
    kind = 'media-type="application/xhtml+xml"'
    items = "".join(f'<item id="{name}" href="text/{name}" {kind}/>' for name in names)
    refs = "".join(f'<itemref idref="{name}"/>' for name in names)
    return {
        "mimetype": b"application/epub+zip",
        "META-INF/container.xml": (
            b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            b'<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
        ),
        "OEBPS/book.opf": (
            '<package xmlns="http://www.idpf.org/2007/opf" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            f"<dc:title>{escape(title)}</dc:title></metadata><manifest>{items}"
            f'<item id="nav" href="nav.xhtml" properties="nav" {kind}/></manifest>'
            f'<spine><itemref idref="nav"/>{refs}</spine></package>'
        ).encode(),
        "OEBPS/nav.xhtml": b"<html><body><p>Table of contents</p></body></html>",
        **{f"OEBPS/text/{name}": body for name, body in zip(names, chapters, strict=True)},
    }


def chapter(heading: str, text: str) -> bytes:
    return f"<html><body><h1>{heading}</h1><p>{text}</p></body></html>".encode()
