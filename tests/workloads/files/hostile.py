"""Documents made to do harm, each with the failure it has to end in."""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from random import Random
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from pypdf import PdfReader, PdfWriter

from tests.workloads.files.archives import (
    archive,
    chapter,
    docx_parts,
    epub_parts,
    odt_parts,
)
from tests.workloads.files.pdf import CATALOG, PAGES, objects_of, pdf, raw_pdf, stream
from workloads.documents import (
    DangerousDocument,
    DocumentError,
    EmptyDocument,
    EncryptedDocument,
    OversizedDocument,
    UnreadableDocument,
    UnsupportedDocument,
)

SECRET_FILE = "/etc/passwd"
LAUGHS = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))
ENTITIES = {
    "laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>',
    "file": f'<!DOCTYPE x [<!ENTITY l9 SYSTEM "file://{SECRET_FILE}">]>',
    "dtd": '<!DOCTYPE x SYSTEM "http://192.0.2.1/x.dtd">',
    "parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://192.0.2.1/p"> %p;]>',
}


@dataclass(frozen=True)
class Hostile:
    """`ends_in` is the failure that the document has to end in."""

    what: str
    file_name: str
    make: Callable[[], bytes]
    ends_in: type[DocumentError]


@cache
def huge_picture() -> bytes:
    """A PNG of 50,000 by 50,000 black dots: 300 kB that become 2.5 GB in colour."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((50_000 // 8 + 1) * 50_000), 9)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def pdf_with_huge_picture() -> bytes:
    objects = objects_of([["A page with a picture and some text."]])
    picture = b"/Type /XObject /Subtype /Image /Width 50000 /Height 50000 /BitsPerComponent 1"
    objects[6] = stream(bytes(312_500_000), picture + b" /ColorSpace /DeviceGray")
    objects[4] = objects[4].replace(b"/Font", b"/XObject << /P 6 0 R >> /Font")
    objects[5] = stream(b"/P Do BT /F1 11 Tf 72 770 Td (A page with a picture.) Tj ET")
    return raw_pdf(objects)


def encrypted_pdf(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(BytesIO(pdf(["Nobody may read this line."]))))
    writer.encrypt(password, "the owner", algorithm="AES-256")
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def _with_entities(kind: str) -> bytes:
    parts = docx_parts()
    body = parts["word/document.xml"].replace(
        b"<w:body>", b"<w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p>"
    )
    return archive({**parts, "word/document.xml": ENTITIES[kind].encode() + body})


def _entities_elsewhere(name: str) -> bytes:
    parts = {**docx_parts("Text."), **odt_parts("<t:p>Text.</t:p>")}
    if name == "content.xml":
        parts.pop("[Content_Types].xml")
    return archive({**parts, name: ENTITIES["laughs"].encode() + parts[name]})


def _high_ratio() -> bytes:
    return archive({**docx_parts("Text."), "word/media/zeros.bin": bytes(50_000_000)})


def _many_entries() -> bytes:
    return archive({**docx_parts("Text."), **{f"word/media/{n}": b"" for n in range(6_000)}})


def _much_in_all() -> bytes:
    """No entry stands out; together they are a gigabyte."""
    noise = bytes(range(256)) * 40
    content = b"".join(noise + bytes([n % 256]) * 90_000 for n in range(300))
    return archive({**docx_parts("Text."), **{f"word/media/{n}": content for n in range(8)}})


def _overlapping() -> bytes:
    """Two hundred names for the same packed bytes."""
    content = bytearray(archive({**docx_parts("Text."), "a": b"x" * 900_000}))
    directory = content.rindex(b"PK\x01\x02")
    entry = bytes(content[directory : content.rindex(b"PK\x05\x06")])
    end = bytearray(content[content.rindex(b"PK\x05\x06") :])
    more = entry * 199
    count = struct.unpack_from("<H", end, 10)[0] + 199
    struct.pack_into("<HH", end, 8, count, count)
    struct.pack_into("<I", end, 12, struct.unpack_from("<I", end, 12)[0] + len(more))
    return bytes(content[: content.rindex(b"PK\x05\x06")]) + more + bytes(end)


def _lying_size() -> bytes:
    """The document is 50 MB and says it has 1,000 bytes."""
    body = "<w:p><w:r><w:t>" + "x" * 50_000_000 + "</w:t></w:r></w:p>"
    content = bytearray(archive(docx_parts(body=body)))
    directory = content.index(b"word/document.xml", content.index(b"PK\x01\x02")) - 46
    struct.pack_into("<I", content, directory + 24, 1_000)
    return bytes(content)


def _nested(depth: int) -> bytes:
    inner = archive(docx_parts("The innermost."))
    for _ in range(depth):
        inner = archive({"inside.docx": inner})
    return inner


def _encrypted_zip() -> bytes:
    content = bytearray(archive(docx_parts("Text.")))
    directory = content.index(b"word/document.xml", content.index(b"PK\x01\x02")) - 46
    content[directory + 8] |= 1
    return bytes(content)


def _encrypted_office() -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504) + "EncryptedPackage".encode("utf-16-le")


def _encrypted_odt() -> bytes:
    parts = odt_parts("<t:p>x</t:p>")
    manifest = parts["META-INF/manifest.xml"].replace(
        b"/></m:manifest>", b"><m:encryption-data/></m:file-entry></m:manifest>"
    )
    return archive(
        {**parts, "META-INF/manifest.xml": manifest, "content.xml": b"\x9c\x01\xff" * 99}
    )


def _encrypted_epub() -> bytes:
    closed = (
        b'<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        b'<EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#"><CipherData>'
        b'<CipherReference URI="OEBPS/text/chapter1.xhtml"/></CipherData></EncryptedData>'
        b"</encryption>"
    )
    return archive({**epub_parts(b"\x9c\x01\xff" * 99), "META-INF/encryption.xml": closed})


def _deep_docx() -> bytes:
    return archive(docx_parts(body="<w:sdt>" * 5_000 + "</w:sdt>" * 5_000))


def _deep_epub() -> bytes:
    return archive(epub_parts(b"<b>" * 100_000))


def _page_tree_in_a_circle() -> bytes:
    objects = objects_of([["Text."]])
    objects[PAGES] = b"<< /Type /Pages /Kids [6 0 R] /Count 1 >>"
    objects[6] = b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R 6 0 R] /Count 1 >>"
    return raw_pdf(objects)


def _object_streams_in_each_other() -> bytes:
    """Each object stream extends the other, and the catalogue is in neither."""
    objects = {
        number: stream(b"1 0 << >>", b"/Type /ObjStm /N 1 /First 4 /Extends %d 0 R" % other)
        for number, other in ((2, 3), (3, 2))
    }
    return raw_pdf({CATALOG: b"<< /Type /Catalog /Pages 2 0 R >>", **objects})


def _length_of_itself() -> bytes:
    objects = objects_of([["Text."]])
    objects[5] = b"<< /Length 5 0 R >>\nstream\nBT (x) Tj ET\nendstream"
    objects[CATALOG] = b"<< /Type /Catalog /Pages 1 0 R >>"
    return raw_pdf(objects)


def _giant_stream() -> bytes:
    objects = objects_of([["Text."]])
    objects[5] = stream(b"BT " + b" " * 150_000_000 + b"ET")
    return raw_pdf(objects)


def _stream_in_stream() -> bytes:
    objects = objects_of([["Text."]])
    packed = zlib.compress(zlib.compress(b"BT " + bytes(150_000_000), 9), 9)
    filters = b"/Filter [/FlateDecode /FlateDecode]"
    objects[5] = b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(packed), filters, packed)
    return raw_pdf(objects)


def _deep_pdf() -> bytes:
    objects = objects_of([["Text."]])
    objects[CATALOG] = b"<< /Type /Catalog /Pages " + b"[" * 100_000 + b"]" * 100_000 + b" >>"
    return raw_pdf(objects)


def _form_in_itself() -> bytes:
    """A drawing that draws itself twice: 2 to the power of as deep as one follows it."""
    objects = objects_of([["Text."]])
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /F 6 0 R >> >>"
    objects[6] = stream(b"/F Do /F Do", form)
    objects[4] = objects[4].replace(b"/Font", b"/XObject << /F 6 0 R >> /Font")
    objects[5] = stream(b"/F Do /F Do")
    return raw_pdf(objects)


def _zip64_liar() -> bytes:
    packed = BytesIO()
    with ZipFile(packed, "w", ZIP_DEFLATED) as made:
        for name, content in docx_parts("Text.").items():
            made.writestr(ZipInfo(name), content)
    changed = bytearray(packed.getvalue())
    struct.pack_into("<I", changed, changed.rindex(b"PK\x05\x06") + 16, 0xFFFFFFF0)
    return bytes(changed)


_DOCX = archive(docx_parts("Some text that stands in the document."))
_ODT = archive(odt_parts("<t:p>Some text.</t:p>"))
_EPUB = archive(epub_parts(chapter("One", "Some text.")))

HOSTILE = (
    # archives
    Hostile("zeros packed a thousand to one", "a.docx", _high_ratio, DangerousDocument),
    Hostile("six thousand entries", "a.docx", _many_entries, OversizedDocument),
    Hostile("much too much in all", "a.docx", _much_in_all, OversizedDocument),
    Hostile("entries that overlap", "a.docx", _overlapping, DangerousDocument),
    Hostile("an entry larger than it says", "a.docx", _lying_size, UnreadableDocument),
    Hostile("a directory beyond the end", "a.docx", _zip64_liar, UnreadableDocument),
    Hostile("a docx in an archive", "a.docx", lambda: _nested(1), UnsupportedDocument),
    Hostile("a docx in fifty archives", "a.zip", lambda: _nested(50), UnsupportedDocument),
    Hostile("a plain archive", "a.zip", lambda: archive({"a.txt": b"x"}), UnsupportedDocument),
    Hostile("an empty archive", "a.docx", lambda: archive({}), UnsupportedDocument),
    # XML
    Hostile("a billion laughs", "a.docx", lambda: _with_entities("laughs"), DangerousDocument),
    Hostile("a file by entity", "a.docx", lambda: _with_entities("file"), DangerousDocument),
    Hostile("a DTD from elsewhere", "a.docx", lambda: _with_entities("dtd"), DangerousDocument),
    Hostile("a parameter entity", "a.docx", lambda: _with_entities("parameter"), DangerousDocument),
    Hostile(
        "laughs in the relations",
        "a.docx",
        lambda: _entities_elsewhere("_rels/.rels"),
        DangerousDocument,
    ),
    Hostile(
        "laughs in an odt", "a.odt", lambda: _entities_elsewhere("content.xml"), DangerousDocument
    ),
    Hostile("deep XML", "a.docx", _deep_docx, OversizedDocument),
    # PDF
    Hostile("a page tree in a circle", "a.pdf", _page_tree_in_a_circle, DocumentError),
    Hostile("object streams in each other", "a.pdf", _object_streams_in_each_other, DocumentError),
    Hostile("a length of itself", "a.pdf", _length_of_itself, DocumentError),
    Hostile("a giant stream", "a.pdf", _giant_stream, OversizedDocument),
    Hostile("a stream packed twice", "a.pdf", _stream_in_stream, OversizedDocument),
    Hostile("a deep array", "a.pdf", _deep_pdf, DocumentError),
    Hostile("a form in itself", "a.pdf", _form_in_itself, DocumentError),
    # protected
    Hostile("a password", "a.pdf", lambda: encrypted_pdf("secret"), EncryptedDocument),
    Hostile("a password", "a.docx", _encrypted_office, EncryptedDocument),
    Hostile("a password on the archive", "a.docx", _encrypted_zip, EncryptedDocument),
    Hostile("a password", "a.odt", _encrypted_odt, EncryptedDocument),
    Hostile("protected chapters", "a.epub", _encrypted_epub, EncryptedDocument),
    # no document at all
    Hostile("a bare picture", "a.png", huge_picture, UnsupportedDocument),
    Hostile("a picture named pdf", "a.pdf", huge_picture, UnsupportedDocument),
    Hostile("nothing", "a.pdf", lambda: b"", EmptyDocument),
    Hostile("white space", "a.docx", lambda: b" \n\t" * 99, EmptyDocument),
    Hostile("zeros", "a.txt", lambda: bytes(100_000), UnreadableDocument),
    Hostile("noise", "a.md", lambda: Random(7).randbytes(100_000), UnreadableDocument),
    Hostile("noise", "a.docx", lambda: b"\xf3" * 5_000, UnreadableDocument),
    # cut off
    Hostile("half of it", "a.docx", lambda: _DOCX[: len(_DOCX) // 2], UnreadableDocument),
    Hostile("half of it", "a.odt", lambda: _ODT[: len(_ODT) // 2], UnreadableDocument),
    Hostile("half of it", "a.epub", lambda: _EPUB[: len(_EPUB) // 2], UnreadableDocument),
    Hostile("only its mark", "a.pdf", lambda: b"%PDF-1.7\n", UnreadableDocument),
    Hostile("only its mark", "b.docx", lambda: b"PK\x03\x04", UnreadableDocument),
    # HTML
    Hostile("deep HTML", "a.html", lambda: b"<html>" + b"<div>" * 100_000, OversizedDocument),
    Hostile("deep HTML", "a.epub", _deep_epub, OversizedDocument),
)
