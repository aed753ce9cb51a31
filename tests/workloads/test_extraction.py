"""Notes without a language model: pure, so by tables and by the shipped samples."""

import pytest

from workloads.notes.cloze import GAP
from workloads.notes.document import Document
from workloads.notes.extraction import MOST_POINTS, MOST_QUESTIONS, MOST_TERMS, Extraction
from workloads.notes.languages import small_words
from workloads.notes.reading import read
from workloads.notes.terms import key_terms

LEASES = """# Leases

A lease is a lock that ends by itself. The holder renews the lease before it ends.

## Fencing

Each grant of a lease has a fencing token. The storage compares the fencing token of every write.
A write with an old fencing token is refused, so an old holder does no harm. It rained yesterday.

## Length

A short lease frees the work of a crashed holder early. A long lease costs fewer messages.
"""


def extraction(text: str) -> tuple[Document, Extraction]:
    document = read(text)
    return document, Extraction(document, "en")


def test_points_are_sentences_of_their_section() -> None:
    document, taken = extraction(LEASES)

    for section, notes in zip(
        document.sections, taken.outline(document.sections).sections, strict=True
    ):
        assert 1 <= len(notes.points) <= MOST_POINTS
        assert set(notes.points) <= set(section.sentences)


def test_points_keep_the_order_of_the_document() -> None:
    document, taken = extraction(LEASES)

    for section, notes in zip(
        document.sections, taken.outline(document.sections).sections, strict=True
    ):
        places = [section.sentences.index(point) for point in notes.points]
        assert places == sorted(places)


def test_what_has_nothing_to_do_with_the_subject_is_not_noted() -> None:
    document, taken = extraction(LEASES)
    outline = taken.outline(document.sections)

    assert "It rained yesterday." not in str(outline)
    assert "It rained yesterday." not in taken.summary()


def test_a_sentence_is_not_noted_twice() -> None:
    _, taken = extraction("The lease ends after thirty seconds of silence. " * 10)

    assert taken.summary() == "The lease ends after thirty seconds of silence."


def test_the_summary_is_shorter_than_the_document() -> None:
    document, taken = extraction(LEASES)

    assert 0 < len(taken.summary()) < sum(map(len, document.sentences))


def test_key_terms_prefer_the_phrase_to_its_words() -> None:
    _, taken = extraction(LEASES)

    assert "fencing token" in taken.terms()
    assert "token" not in taken.terms()
    assert len(taken.terms()) <= MOST_TERMS


@pytest.mark.parametrize(
    ("sentences", "terms"),
    [
        (["Leases expire.", "One lease.", "A lease."], ["expire", "lease"]),
        (["Greenwich time.", "At Greenwich."], ["Greenwich", "time"]),
        (["The clock, the tower."], ["clock", "tower"]),
        (["And of the to."], []),
        ([], []),
    ],
)
def test_key_terms_are_counted_across_spellings(sentences: list[str], terms: list[str]) -> None:
    assert sorted(term.text for term in key_terms(sentences, small_words("en"), 3)) == sorted(terms)


def test_a_quiz_leaves_out_key_terms_and_offers_them_as_choices() -> None:
    document, taken = extraction(LEASES)
    quiz = taken.quiz()

    assert 1 <= len(quiz) <= MOST_QUESTIONS
    for question in quiz:
        assert question.question.count(GAP) == 1
        assert question.answer in question.choices
        restored = question.question.replace(GAP, question.answer).casefold()
        assert restored in {sentence.casefold() for sentence in document.sentences}


def test_no_question_is_asked_twice() -> None:
    _, taken = extraction(LEASES)
    quiz = taken.quiz()

    assert len({question.question for question in quiz}) == len(quiz)
    assert len({question.answer for question in quiz}) == len(quiz)


def test_the_same_document_gives_the_same_notes() -> None:
    document, taken = extraction(LEASES)
    _, again = extraction(LEASES)

    assert taken.outline(document.sections) == again.outline(document.sections)
    assert (taken.summary(), taken.terms(), taken.quiz()) == (
        again.summary(),
        again.terms(),
        again.quiz(),
    )


@pytest.mark.parametrize(
    ("text", "heading"),
    [
        ("# Title\n\nA sentence stands here.", "Title"),
        ("## Own\n\nA sentence.\n\n## Other\n\nMore.", "Own"),
        ("The clock struck. The clock stopped. The tower fell. The tower lay.", "Clock · tower"),
        ("茶" * 99 + "。", "茶" * 60 + "…"),
        ("Seven words make up this short line.", "Seven words make up this short…"),
    ],
)
def test_every_section_gets_a_heading(text: str, heading: str) -> None:
    document, taken = extraction(text)

    assert taken.heading(document.sections[0]) == heading


@pytest.mark.parametrize("text", ["Hi", "1 2 3", "?!", "茶は植物です。葉を摘みます。", "a " * 900])
def test_strange_texts_still_give_notes(text: str) -> None:
    document, taken = extraction(text)

    assert taken.outline(document.sections).sections[0].points
    assert taken.summary()
    taken.quiz()
