"""Documents of every format, through the real child process."""

import codecs
from collections.abc import Callable

import pytest

from tests.workloads.files.archives import (
    archive,
    chapter,
    docx_parts,
    epub_parts,
    odt_parts,
    with_part,
)
from tests.workloads.files.office import presentation, word_document
from tests.workloads.files.pdf import objects_of, pdf, raw_pdf
from workloads.documents import (
    Limits,
    Opened,
    SourceDocument,
    UnreadableDocument,
    open_document,
)

ARTICLE = (
    "Bread is made of flour, water, salt and yeast, and it takes time. "
    "Patience is what most bakers learn first, for the dough does not hurry. "
    "Those who wait are rewarded with a crust that sings when it cools."
)
PAGE = f"""<!doctype html><html><head><title>Bread - The site</title>
<script>var hidden = "script text";</script><style>p {{ color: red }}</style></head>
<body><header><p>The name of the site</p></header>
<nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop of things</a></li></ul></nav>
<main><article><h1>Bread</h1><p>{ARTICLE}</p><h2>Dough</h2><p>Mix it. {ARTICLE}</p>
<ul><li>Five hundred grams of flour</li></ul><pre><code>x = 1</code></pre></article></main>
<footer><p>Imprint and cookies</p></footer></body></html>"""
PDF_LINES = [
    "The bakery",
    "Bread is made of flour and water and time, and of nothing else that mat-",
    "ters to a baker in the long run. It is the time that makes the dough rise and",
    "the crust crack.",
    "The second paragraph begins here and it goes on for quite a while, so that it",
    "does not end where a line does.",
]
ODT = """<t:p t:style-name="P1">Bread</t:p><t:p>It takes<t:s/>time<t:note><t:note-body>
<t:p>a footnote</t:p></t:note-body></t:note>.</t:p><t:h t:outline-level="2">Dough</t:h>
<t:list><t:list-item><t:p>Flour first</t:p></t:list-item></t:list>
<t:tracked-changes><t:p>deleted long ago</t:p></t:tracked-changes>
<tb:table><tb:table-row><tb:table-cell><t:p>a cell</t:p></tb:table-cell><tb:table-cell/>
</tb:table-row></tb:table>
<t:p><d:frame><d:text-box><t:p>In a box.</t:p></d:text-box></d:frame></t:p>"""
CHAPTER = b"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head><title/><style>p { color: red }</style></head>
<body><h1>Dough</h1><p>It rises, sl\xc3\xb6wly<a id="x"/>.</p>
<ol><li>Flour first</li></ol></body></html>"""
WORD_XML = """<w:p><w:pPr><w:outlineLvl w:val="1"/></w:pPr><w:r><w:t>By outline</w:t></w:r></w:p>
<w:p><w:ins><w:r><w:t>Put in later.</w:t></w:r></w:ins>
<w:del><w:r><w:delText>taken out</w:delText></w:r></w:del></w:p>
<w:sdt><w:sdtContent><w:p><w:r><w:t>In a field</w:t><w:tab/><w:t>of a form.</w:t></w:r></w:p>
</w:sdtContent></w:sdt>"""


def opened(name: str, content: bytes, *, limits: Limits | None = None) -> Opened:
    return open_document(SourceDocument(name=name, content=content), limits=limits or Limits())


def shown(document: Opened) -> list[str]:
    """Blocks as Markdown would have them."""
    marks = {"paragraph": "", "item": "- ", "code": "CODE", "table": "TABLE"}
    return [
        marks.get(block.kind, "#" * block.level + " ") + block.text for block in document.blocks
    ]


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        (
            "a.docx",
            word_document,
            [
                "# Bread",
                "Bread is made of flour, water and time.",
                "# Dough",
                "Knead the dough well, then let it rest.",
                "- Flour comes first",
                "## Oven",
                "Heat opens & closes <the> crust.",
                "TABLE",
                "A box holds one paragraph.",
            ],
        ),
        (
            "b.docx",
            lambda: archive(docx_parts("A start.", body=WORD_XML)),
            ["A start.", "## By outline", "Put in later.", "In a field of a form."],
        ),
        (
            "a.pptx",
            presentation,
            [
                "# Queues",
                "Waiting in good order",
                "## Fairness",
                "- Everybody gets a turn",
                "- Nobody gets two",
                "Tell the story of the bakery here.",
                "## Slide 3",
                "A free text box.",
                "TABLE",
            ],
        ),
        (
            "a.odt",
            lambda: archive(odt_parts(ODT)),
            ["# Bread", "It takes time.", "## Dough", "- Flour first", "TABLE", "In a box."],
        ),
        (
            "a.epub",
            lambda: archive(epub_parts(chapter("Bread", "It takes time."), CHAPTER)),
            ["# A book", "# Bread", "It takes time.", "# Dough", "It rises, slöwly.",
             "- Flour first"],
        ),
        (
            "a.html",
            PAGE.encode,
            [
                "# Bread",
                ARTICLE,
                "## Dough",
                f"Mix it. {ARTICLE}",
                "- Five hundred grams of flour",
                "CODE",
            ],
        ),
        ("short.html", lambda: b"<p>Short.</p>", ["Short."]),
        (
            "a.pdf",
            lambda: pdf([*PDF_LINES, "1"], ["Another page says this.", "2"]),
            [
                "The bakery",
                "Bread is made of flour and water and time, and of nothing else that matters to a "
                "baker in the long run. It is the time that makes the dough rise and the crust "
                "crack.",
                "The second paragraph begins here and it goes on for quite a while, so that it "
                "does not end where a line does.",
                "Another page says this.",
            ],
        ),
        (
            "a.md",
            lambda: b"# Bread\n\nIt *takes* time.\n\n- Flour",
            ["# Bread", "It takes time.", "- Flour"],
        ),
        ("README", lambda: codecs.BOM_UTF16_LE + "Grüße.".encode("utf-16-le"), ["Grüße."]),
    ],
)  # fmt: skip
def test_a_document_gives_its_text_and_nothing_else(
    name: str, make: Callable[[], bytes], expected: list[str]
) -> None:
    document = opened(name, make())

    assert shown(document) == expected
    assert document.warnings == ()


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        ("<meta charset=iso-8859-2><p>Łódź leży w Polsce.".encode("iso-8859-2"), None),
        ("<p>Łódź leży w Polsce.".encode(), None),
        ("<p>Łódź leży w Polsce.".encode("iso-8859-2"), "text/html; charset=ISO-8859-2"),
        (codecs.BOM_UTF16_LE + "<p>Łódź leży w Polsce.".encode("utf-16-le"), None),
    ],
)
def test_html_is_read_in_its_character_set(content: bytes, content_type: str | None) -> None:
    source = SourceDocument(name="a.html", content=content, content_type=content_type)

    assert shown(open_document(source)) == ["Łódź leży w Polsce."]


def test_a_heading_of_a_pdf_stands_apart_even_below_a_full_line() -> None:
    full = "This line is as long as lines are on this page and it ends right here."
    document = opened("a.pdf", pdf([full, full, "A heading", full, full]))

    assert [(block.text, block.lines) for block in document.blocks][1] == ("A heading", 1)


def test_running_heads_and_page_numbers_are_no_text_of_a_pdf() -> None:
    pages = [["The Baker's Book", f"The page of {word} has a line.", f"- {n} -"] for n, word in
             enumerate(("flour", "water", "salt", "yeast"), start=1)]  # fmt: skip

    text = " ".join(shown(opened("a.pdf", pdf(*pages))))

    assert "The page of yeast has a line." in text
    assert "Baker" not in text
    assert "- 3 -" not in text


@pytest.mark.parametrize(
    ("name", "make", "read_as"),
    [
        ("a.docx", lambda: pdf(["A line."]), "PDF"),
        ("a.pdf", lambda: archive(docx_parts("A line.")), "Word"),
        ("a.bin", lambda: archive(odt_parts("<t:p>A line.</t:p>")), "OpenDocument"),
        ("a.pptx", lambda: b"A line.", "text"),
        ("a.txt", lambda: b"<!doctype html><html><body><p>A line.", "HTML"),
    ],
)
def test_a_wrong_name_is_told_of_and_does_no_harm(
    name: str, make: Callable[[], bytes], read_as: str
) -> None:
    document = opened(name, make())

    assert shown(document) == ["A line."]
    (warning,) = document.warnings
    assert read_as in warning


def broken_pdf(*broken: int, pages: int = 4) -> bytes:
    objects = objects_of([[f"This is page {number}."] for number in range(1, pages + 1)])
    for number in broken:
        objects[3 + 2 * number] = b"<< /Length 9 /Filter /Nonsense >>\nstream\n123456789\nendstream"
    return raw_pdf(objects)


def broken_slides(*numbers: int) -> bytes:
    document = presentation()
    for number in numbers:
        document = with_part(document, f"ppt/slides/slide{number}.xml", b"<p:sld ")
    return document


def broken_book() -> bytes:
    parts = epub_parts(chapter("One", "First."), b"", chapter("Three", "Third."))
    parts.pop("OEBPS/text/chapter2.xhtml")
    return archive(parts)


@pytest.mark.parametrize(
    ("name", "make", "kept", "warning"),
    [
        ("a.pdf", lambda: broken_pdf(2), "This is page 3.", "Page 2 could not be read."),
        ("b.pdf", lambda: broken_pdf(1, 3), "This is page 2.", "2 pages could not be read: 1, 3."),
        ("a.pptx", lambda: broken_slides(2), "A free text box.", "Slide 2 could not be read."),
        ("a.epub", broken_book, "Third.", "Chapter 2 (chapter2.xhtml) could not be read."),
        (
            "a.docx",
            lambda: with_part(word_document(), "word/styles.xml", b"<"),
            "Bread",
            "The styles could not be read, so headings may be missing.",
        ),
    ],
)
def test_a_broken_part_is_named_and_the_others_are_read(
    name: str, make: Callable[[], bytes], kept: str, warning: str
) -> None:
    document = opened(name, make())

    assert kept in " ".join(shown(document))
    assert document.warnings == (warning,)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.pdf", lambda: broken_pdf(1, 2, pages=2)),
        ("a.pptx", lambda: broken_slides(1, 2, 3)),
        ("a.epub", lambda: archive({**epub_parts(b"\0"), "OEBPS/text/chapter1.xhtml": b"\0" * 9})),
    ],
)
def test_a_document_of_broken_parts_only_cannot_be_read(
    name: str, make: Callable[[], bytes]
) -> None:
    with pytest.raises(UnreadableDocument, match="None of the"):
        opened(name, make())


def test_more_text_than_is_wanted_is_left_out_with_a_warning() -> None:
    limits = Limits(text_characters=1_000)

    document = opened("a.txt", b"A paragraph of text.\n\n" * 1_000, limits=limits)

    assert 10 < len(document.blocks) < 50
    (warning,) = document.warnings
    assert "1,000 characters" in warning


def test_more_pages_than_are_wanted_are_left_out_with_a_warning() -> None:
    document = opened("a.pdf", broken_pdf(pages=5), limits=Limits(pages=2))

    assert document.warnings == ("Only the first 2 of 5 pages were read.",)
    assert "page 3" not in " ".join(shown(document))
