"""What stands inside what stands inside: each text is read once, and soon."""

from collections.abc import Callable

import pytest

from tests.workloads.files.archives import (
    archive,
    docx_parts,
    epub_parts,
    odt_parts,
    part_of,
    with_part,
)
from tests.workloads.files.office import presentation
from workloads.documents import Limits, Opened, SourceDocument, open_document

WITHIN = Limits(wall_seconds=20.0, cpu_seconds=10)
WORD_ROW = "<w:tr><w:tc>{}</w:tc></w:tr>"
WORD_TEXT = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
BREAD = "Bread takes time."


def opened(name: str, content: bytes) -> Opened:
    return open_document(SourceDocument(name=name, content=content), limits=WITHIN)


def nested(text: str, around: str, levels: int) -> str:
    for _ in range(levels):
        text = around.format(text)
    return text


def docx(body: str) -> bytes:
    return archive(docx_parts(body=body))


def docx_tables(levels: int) -> bytes:
    return docx(nested(WORD_TEXT.format(BREAD), f"<w:tbl>{WORD_ROW}</w:tbl>", levels))


def docx_boxes(levels: int) -> bytes:
    around = "<w:p><w:r><w:pict><w:txbxContent>{}</w:txbxContent></w:pict></w:r></w:p>"
    return docx(nested(WORD_TEXT.format(BREAD), around, levels))


def odt_tables(levels: int) -> bytes:
    around = (
        "<tb:table><tb:table-rows><tb:table-row><tb:table-cell>{}</tb:table-cell></tb:table-row>"
        "</tb:table-rows></tb:table>"
    )
    return archive(odt_parts(nested(f"<t:p>{BREAD}</t:p>", around, levels)))


def odt_lists(levels: int) -> bytes:
    around = "<t:list><t:list-item>{}</t:list-item></t:list>"
    return archive(odt_parts(nested(f"<t:p>{BREAD}</t:p>", around, levels)))


def odt_boxes(levels: int) -> bytes:
    around = "<t:p><d:frame><d:text-box>{}</d:text-box></d:frame></t:p>"
    return archive(odt_parts(nested(f"<t:p>{BREAD}</t:p>", around, levels)))


def html_tables(levels: int) -> bytes:
    return nested(f"<p>{BREAD}</p>", "<table><tr><td>{}</td></tr></table>", levels).encode()


def html_lists(levels: int) -> bytes:
    return nested(f"<p>{BREAD}</p>", "<ul><li>{}</li></ul>", levels).encode()


def epub_quotes(levels: int) -> bytes:
    inside = nested(f"<p>{BREAD}</p>", "<blockquote><div>{}</div></blockquote>", levels)
    return archive(epub_parts(f"<html><body>{inside}</body></html>".encode()))


def pptx_groups(levels: int) -> bytes:
    text = (
        '<p:sp><p:nvSpPr><p:cNvPr id="9" name="x"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/><a:p><a:r><a:t>{BREAD}</a:t></a:r></a:p></p:txBody></p:sp>"
    )
    return with_shapes(presentation(), nested(text, "<p:grpSp>{}</p:grpSp>", levels))


def with_shapes(document: bytes, shapes: str) -> bytes:
    slide = part_of(document, "ppt/slides/slide1.xml")
    changed = slide.replace(b"</p:spTree>", shapes.encode() + b"</p:spTree>")
    return with_part(document, "ppt/slides/slide1.xml", changed)


@pytest.mark.parametrize("levels", [4, 40])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.docx", docx_tables),
        ("a.docx", docx_boxes),
        ("a.odt", odt_tables),
        ("a.odt", odt_lists),
        ("a.odt", odt_boxes),
        ("a.html", html_tables),
        ("a.html", html_lists),
        ("a.epub", epub_quotes),
        ("a.pptx", pptx_groups),
    ],
)
def test_what_is_nested_is_read_once(name: str, make: Callable[[int], bytes], levels: int) -> None:
    document = opened(name, make(levels))

    assert [block.text for block in document.blocks].count(BREAD) == 1


def test_the_columns_of_a_table_do_not_hide_the_text_around_it() -> None:
    inner = "<w:tbl><w:tr><w:tc><w:p/></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>"
    cell = WORD_TEXT.format(BREAD) + inner
    document = opened("a.docx", docx(f"<w:tbl>{WORD_ROW.format(cell)}</w:tbl>"))

    assert [(block.kind, block.text) for block in document.blocks] == [
        ("paragraph", BREAD),
        ("table", ""),
    ]


def test_rows_and_cells_in_fields_of_a_form_are_rows_and_cells() -> None:
    field = "<w:sdt><w:sdtContent>{}</w:sdtContent></w:sdt>"
    cell = field.format(f"<w:tc>{WORD_TEXT.format(BREAD)}</w:tc>")
    row = field.format(f"<w:tr>{cell}</w:tr>")

    document = opened("a.docx", docx(f"<w:tbl>{row}{row}</w:tbl>"))
    table = opened("b.docx", docx(f"<w:tbl><w:tr>{cell}{cell}</w:tr></w:tbl>"))

    assert [block.text for block in document.blocks] == [BREAD, BREAD]
    assert [block.kind for block in table.blocks] == ["table"]


def test_a_chapter_that_the_book_names_again_is_read_once() -> None:
    parts = epub_parts(f"<html><body><p>{BREAD}</p></body></html>".encode())
    package = parts["OEBPS/book.opf"]
    again = b'<itemref idref="chapter1.xhtml"/>' * 3 + b"</spine>"
    document = opened(
        "a.epub", archive({**parts, "OEBPS/book.opf": package.replace(b"</spine>", again)})
    )

    assert [block.text for block in document.blocks].count(BREAD) == 1
