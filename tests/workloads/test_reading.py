"""Bytes to text, text to documents."""

import codecs
import contextlib
import time

import pytest
from hypothesis import given, strategies

from workloads.documents import Block, EmptyDocument, UnreadableDocument
from workloads.documents.decoding import clean, decode
from workloads.notes.reading import LONGEST_SECTION, LONGEST_UNHEADED, assemble, read


@pytest.mark.parametrize(
    "content",
    [
        "Grüße".encode(),
        codecs.BOM_UTF8 + "Grüße".encode(),
        "Grüße".encode("utf-16"),
        codecs.BOM_UTF16_BE + "Grüße".encode("utf-16-be"),
        "Grüße".encode("utf-32"),
    ],
)
def test_unicode_in_its_usual_forms_is_read_without_a_warning(content: bytes) -> None:
    decoded = decode(content)

    assert decoded.text == "Grüße"
    assert decoded.warnings == ()


def test_undecodable_bytes_are_replaced_with_a_warning() -> None:
    decoded = decode(b"A long enough line with a caf\xe9 in it.")

    assert decoded.text == "A long enough line with a caf\ufffd in it."
    assert len(decoded.warnings) == 1
    assert "1 character" in decoded.warnings[0]


@pytest.mark.parametrize("content", [bytes(range(256)) * 4, b"PK\x03\x04\0\0\0\0", b"\xff" * 50])
def test_what_is_not_text_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        decode(content)


def test_line_ends_and_control_characters_are_evened_out() -> None:
    assert clean("a\r\nb\rc\x07\ufeffd\te\ud800") == "a\nb\ncd\te"


def headings(text: str) -> list[str | None]:
    return [section.heading for section in read(text).sections]


def test_headings_divide_a_document_and_the_first_names_it() -> None:
    document = read("# Title\n\nBefore.\n\n## One\n\nFirst.\n\n### Two ##\nSecond.\n")

    assert document.title == "Title"
    assert [section.heading for section in document.sections] == [None, "One", "Two"]
    assert document.sentences == ("Before.", "First.", "Second.")


def test_underlined_headings_count_as_well() -> None:
    document = read("Title\n=====\n\nBefore.\n\nOne\n---\nFirst.\n")

    assert document.title == "Title"
    assert [section.heading for section in document.sections] == [None, "One"]


def test_equal_headings_are_sections_and_none_of_them_the_title() -> None:
    document = read("## One\nFirst.\n\n## Two\nSecond.\n")

    assert document.title is None
    assert headings("## One\nFirst.\n\n## Two\nSecond.\n") == ["One", "Two"]


def test_short_lines_above_paragraphs_are_headings_of_plain_text() -> None:
    paragraph = "This paragraph is long enough to stand below a heading, so it does."
    document = read(f"The title\n\nA part\n\n{paragraph}\n\nAnother part\n\n{paragraph}\n")

    assert document.title == "The title"
    assert [section.heading for section in document.sections] == ["A part", "Another part"]


def test_short_lines_are_text_where_nothing_long_follows() -> None:
    assert read("Hello there\n\nWorld").sentences == ("Hello there", "World")


def test_list_items_are_paragraphs_of_their_own() -> None:
    document = read("A lead:\n\n- one thing\n  that goes on\n* [x] two\n3) three\n\nAfter it.")

    assert [paragraph[0] for paragraph in document.sections[0].paragraphs] == [
        "A lead:",
        "one thing that goes on",
        "two",
        "three",
        "After it.",
    ]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ("*Some* **strong** _words_ and `code`.", "Some strong words and code."),
        ("A [link](http://x.example/) and ![an image](x.png) here.", "A link and here."),
        ("snake_case_name stays, 2 * 3 * 4 too.", "snake_case_name stays, 2 * 3 * 4 too."),
        ("> Quoted text.", "Quoted text."),
        ("A note[^1] here.", "A note here."),
        (r"Escaped \*stars\*.", "Escaped *stars*."),
        ("Seen <!-- hidden --> only.", "Seen only."),
        ("1 < 2 and <b>bold</b>.", "1 < 2 and bold."),
    ],
)
def test_markdowns_marks_disappear(marked: str, plain: str) -> None:
    assert read(marked).sentences == (plain,)


def test_front_matter_is_no_text() -> None:
    assert read("---\ntitle: x\n---\nText here.").sentences == ("Text here.",)


def test_code_and_tables_are_left_out_with_a_warning() -> None:
    document = read(
        "Before.\n\n```python\n# no heading\n```\n\n~~~\nx\n~~~\n"
        "| a | b |\n|---|---|\n| 1 | 2 |\n\nEnd."
    )

    assert document.sentences == ("Before.", "End.")
    assert document.warnings == (
        "2 code blocks left out of the notes.",
        "1 table left out of the notes.",
    )


@pytest.mark.parametrize("text", ["", " \n\n ", "# Only a title", "```\ncode\n```", "---\n***\n"])
def test_a_document_without_a_sentence_is_empty(text: str) -> None:
    with pytest.raises(EmptyDocument):
        read(text)


def test_long_sections_are_divided_under_their_heading() -> None:
    document = read("# T\n\n## Long\n\n" + ("This sentence is repeated often. " * 500))

    assert len(document.sections) > 1
    assert {section.heading for section in document.sections} == {"Long"}
    assert all(len(" ".join(s.sentences)) <= LONGEST_SECTION * 1.1 for s in document.sections)


def test_long_text_without_headings_is_divided_too() -> None:
    document = read("This sentence is repeated often. " * 500)

    assert len(document.sections) > 5
    assert all(len(" ".join(s.sentences)) <= LONGEST_UNHEADED * 1.1 for s in document.sections)


def test_a_title_from_outside_the_text_names_what_no_heading_names() -> None:
    paragraph = Block(kind="paragraph", text="A text without a heading.")
    heading = Block(kind="heading", text="Its own", level=1)

    assert assemble([paragraph], title="Given").title == "Given"
    assert assemble([heading, paragraph], title="Given").title == "Its own"


@pytest.mark.parametrize(
    ("line", "heading"), [("# Notes on C# #", "Notes on C#"), ("# C#", "C#"), ("# A ##", "A")]
)
def test_only_hashes_apart_close_a_heading(line: str, heading: str) -> None:
    assert read(f"{line}\n\nText here.").title == heading


LONG_LINES = ["[", "`", "*a ", "![", "<a", "<!--", "# " + "#" * 99, "e.g. A ", "x", "| "]


@pytest.mark.parametrize("piece", LONG_LINES)
def test_no_line_costs_the_square_of_its_length(piece: str) -> None:
    """In the square, sixteen times as long costs 256 times as much. Measured in processor time,
    and the shortest of a few, so that other work on the machine does not count."""
    short, long = (piece * (size // len(piece)) for size in (8_000, 128_000))

    assert cost(long) < 80 * cost(short) + 0.05


def cost(text: str) -> float:
    def once() -> float:
        began = time.process_time()
        with contextlib.suppress(EmptyDocument):
            read(f"{text} x.")
        return time.process_time() - began

    return min(once() for _ in range(3))


@given(strategies.text(alphabet="#-*=_~`|>[]()! \n\t.aA1é", max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        document = read(clean(text))
    except EmptyDocument:
        return
    assert document.sentences
    assert all(section.sentences for section in document.sections)
