"""PDF files, object by object."""

import zlib
from collections.abc import Mapping, Sequence

CATALOG, PAGES, FONT, FIRST_PAGE = 1, 2, 3, 4


def raw_pdf(objects: Mapping[int, bytes]) -> bytes:
    """A file of these objects; number 1 is the catalogue."""
    out = bytearray(b"%PDF-1.5\n")
    offsets = {}
    for number, body in sorted(objects.items()):
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    size = max(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size
    for number in range(1, size):
        out += b"%010d 00000 %s \n" % (offsets.get(number, 0), b"n" if number in offsets else b"f")
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return bytes(out)


def stream(content: bytes, entries: bytes = b"") -> bytes:
    packed = zlib.compress(content, 9)
    head = b"<< /Length %d /Filter /FlateDecode %s >>" % (len(packed), entries)
    return head + b"\nstream\n" + packed + b"\nendstream"


def page(contents: int) -> bytes:
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
        b"/Resources << /Font << /F1 3 0 R >> >> >>" % contents
    )


def content_of(lines: Sequence[str]) -> bytes:
    """A content stream that shows the lines one below the other."""
    shown = b"\n".join(
        b"(%s) Tj T*" % line.encode("cp1252").replace(b"(", rb"\(").replace(b")", rb"\)")
        for line in lines
    )
    return b"BT /F1 11 Tf 14 TL 72 770 Td\n" + shown + b"\nET"


def objects_of(pages: Sequence[Sequence[str]]) -> dict[int, bytes]:
    """A document of these pages: page n is object 4 + 2n, its contents the next."""
    numbers = [FIRST_PAGE + 2 * number for number in range(len(pages))]
    kids = b" ".join(b"%d 0 R" % number for number in numbers)
    objects = {
        CATALOG: b"<< /Type /Catalog /Pages 2 0 R >>",
        PAGES: b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        FONT: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    }
    for number, lines in zip(numbers, pages, strict=True):
        objects[number] = page(number + 1)
        objects[number + 1] = stream(content_of(lines))
    return objects


def pdf(*pages: Sequence[str]) -> bytes:
    return raw_pdf(objects_of(pages))
