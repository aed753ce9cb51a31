"""Writes the samples that are not plain text, always the same bytes. Run by hand, in this folder:

    python make.py

The texts are in `texts/`, in Markdown with `#`, `##` and `-` only.
"""

import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from textwrap import wrap
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

HERE = Path(__file__).parent
_COLUMNS = 84
_LINES_A_PAGE = 46

Line = tuple[str, str]
"""A kind (`title`, `heading`, `item`, `text`, `notes`) and its text."""


def main() -> None:
    makers: dict[str, Callable[[list[Line]], bytes]] = {
        "sourdough.docx": _docx,
        "queues.pptx": _pptx,
        "printing.odt": _odt,
        "clocks.epub": _epub,
        "sleep.pdf": _pdf,
        "honey.html": _html,
    }
    for name, make in makers.items():
        text = (HERE / "texts" / name).with_suffix(".md").read_text("utf-8")
        (HERE / name).write_bytes(make(list(_lines(text))))


def _lines(text: str) -> Iterator[Line]:
    marks = {"# ": "title", "## ": "heading", "- ": "item", "> ": "notes"}
    for block in text.strip().split("\n\n"):
        for part in block.split("\n- ") if block.startswith("- ") else [block]:
            whole = " ".join(part.split())
            mark = next((mark for mark in marks if whole.startswith(mark)), None)
            if mark:
                yield marks[mark], whole[len(mark) :]
            else:
                yield ("item" if block.startswith("- ") else "text"), whole


def _archive(parts: dict[str, bytes]) -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w") as archive:
        for name, content in parts.items():
            entry = ZipInfo(name, (2025, 1, 1, 0, 0, 0))
            entry.compress_type = ZIP_STORED if name == "mimetype" else ZIP_DEFLATED
            archive.writestr(entry, content)
    return stream.getvalue()


def _undated(document: Any) -> bytes:
    """What the library saves, without the time of day in it."""
    stream = BytesIO()
    document.save(stream)
    with ZipFile(stream) as archive:
        return _archive({name: archive.read(name) for name in archive.namelist()})


def _docx(lines: list[Line]) -> bytes:
    import docx

    document = docx.Document()
    for kind, text in lines:
        if kind == "title":
            document.add_heading(text, 0)
        elif kind == "heading":
            document.add_heading(text, 1)
        else:
            document.add_paragraph(text, style="List Bullet" if kind == "item" else None)
    return _undated(document)


def _pptx(lines: list[Line]) -> bytes:
    import pptx

    document: Any = pptx.Presentation()
    slide: Any = None
    for kind, text in lines:
        if kind in {"title", "heading"}:
            slide = document.slides.add_slide(document.slide_layouts[0 if kind == "title" else 1])
            slide.shapes.title.text = text
        elif kind == "notes":
            slide.notes_slide.notes_text_frame.text = text
        else:
            frame = slide.placeholders[1].text_frame
            (frame.add_paragraph() if frame.text else frame.paragraphs[0]).text = text
    return _undated(document)


def _odt(lines: list[Line]) -> bytes:
    forms = {
        "title": '<text:p text:style-name="Title">{}</text:p>',
        "heading": '<text:h text:outline-level="2">{}</text:h>',
        "item": "<text:list><text:list-item><text:p>{}</text:p></text:list-item></text:list>",
        "text": "<text:p>{}</text:p>",
    }
    body = "".join(forms[kind].format(escape(text)) for kind, text in lines)
    oasis = "urn:oasis:names:tc:opendocument:xmlns"
    kind = "application/vnd.oasis.opendocument.text"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        f'xmlns:office="{oasis}:office:1.0" xmlns:text="{oasis}:text:1.0" office:version="1.3">'
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    manifest = (
        f'<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        f'xmlns:manifest="{oasis}:manifest:1.0" manifest:version="1.3">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        f'<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        f"</manifest:manifest>"
    )
    return _archive(
        {
            "mimetype": kind.encode(),
            "content.xml": content.encode(),
            "META-INF/manifest.xml": manifest.encode(),
        }
    )


def _epub(lines: list[Line]) -> bytes:
    """A chapter for each heading."""
    title = lines[0][1]
    chapters: list[list[Line]] = []
    for line in lines[1:]:
        if line[0] == "heading" or not chapters:
            chapters.append([])
        chapters[-1].append(line)
    names = [f"chapter{number}.xhtml" for number in range(1, len(chapters) + 1)]
    return _archive(
        {
            "mimetype": b"application/epub+zip",
            "META-INF/container.xml": (
                b'<?xml version="1.0"?><container version="1.0" '
                b'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
                b'full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
                b"</container>"
            ),
            "book.opf": _package(title, names).encode(),
            "nav.xhtml": _navigation(title, names).encode(),
            **{
                name: _xhtml(title, _elements(chapter)).encode()
                for name, chapter in zip(names, chapters, strict=True)
            },
        }
    )


def _package(title: str, names: list[str]) -> str:
    kind = 'media-type="application/xhtml+xml"'
    items = "".join(f'<item id="{name[:-6]}" href="{name}" {kind}/>' for name in names)
    refs = "".join(f'<itemref idref="{name[:-6]}"/>' for name in names)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><package version="3.0" unique-identifier="id" '
        'xmlns="http://www.idpf.org/2007/opf"><metadata '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="id">celeriac-sample'
        f"</dc:identifier><dc:title>{escape(title)}</dc:title><dc:language>en</dc:language>"
        '<meta property="dcterms:modified">2025-01-01T00:00:00Z</meta></metadata><manifest>'
        f'<item id="nav" href="nav.xhtml" properties="nav" {kind}/>{items}</manifest>'
        f"<spine>{refs}</spine></package>"
    )


def _navigation(title: str, names: list[str]) -> str:
    links = "".join(
        f'<li><a href="{name}">Chapter {number}</a></li>' for number, name in enumerate(names, 1)
    )
    return _xhtml(title, f'<nav epub:type="toc"><ol>{links}</ol></nav>')


def _xhtml(title: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html>'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
        f"<head><title>{escape(title)}</title></head><body>{body}</body></html>"
    )


def _elements(lines: list[Line]) -> str:
    tags = {"title": "h1", "heading": "h2", "item": "li", "text": "p"}
    body = "\n".join(f"<{tags[kind]}>{escape(text)}</{tags[kind]}>" for kind, text in lines)
    return (
        body.replace("<li>", "<ul><li>").replace("</li>", "</li></ul>").replace("</ul>\n<ul>", "\n")
    )


def _html(lines: list[Line]) -> bytes:
    """A page as sites have them: the text between a menu and a footer."""
    title = escape(lines[0][1])
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">'
        f"<title>{title} | The Village Larder</title></head>\n<body>\n"
        "<header><p>The Village Larder</p><nav><ul><li><a href='/'>Home</a></li>"
        "<li><a href='/shop'>Shop</a></li><li><a href='/account'>My account</a></li></ul></nav>"
        f"</header>\n<main><article>\n{_elements(lines)}\n</article></main>\n"
        "<aside><p>Sign up for our letter and never miss an offer!</p></aside>\n"
        "<footer><p>Imprint. Privacy. Cookies.</p></footer>\n</body>\n</html>\n"
    ).encode()


def _pdf(lines: list[Line]) -> bytes:
    pages = _pages(lines)
    numbers = [4 + 2 * number for number in range(len(pages))]
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        font,
    ]
    for number, page in zip(numbers, pages, strict=True):
        packed = zlib.compress(page, 9)
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (number + 1),
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed),
        ]
    return _pdf_file(objects)


def _pages(lines: list[Line]) -> list[bytes]:
    """The content streams: text line by line, with a page number at the foot."""
    shown: list[tuple[int, str]] = []
    for kind, text in lines:
        size = {"title": 18, "heading": 13}.get(kind, 10)
        mark = "\u2022 " if kind == "item" else ""
        shown += [(size, line) for line in wrap(mark + text, _COLUMNS)] + [(size, "")]
    starts = range(0, len(shown), _LINES_A_PAGE)
    return [
        _content(shown[start : start + _LINES_A_PAGE], number)
        for number, start in enumerate(starts, start=1)
    ]


def _content(shown: list[tuple[int, str]], number: int) -> bytes:
    parts = [b"BT 15 TL 72 780 Td"]
    for size, line in shown:
        text = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)").encode("cp1252")
        parts.append(b"/F1 %d Tf (%s) Tj T*" % (size, text))
    return b"\n".join([*parts, b"ET BT /F1 9 Tf 295 40 Td (%d) Tj ET" % number])


def _pdf_file(objects: list[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(out)


if __name__ == "__main__":
    main()
