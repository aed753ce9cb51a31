"""Chunks, and putting notes of chunks together."""

from workloads.notes.chunks import chunks
from workloads.notes.document import Section
from workloads.notes.gathering import MOST_TERMS, joined, together
from workloads.notes.notes import Outline, SectionNotes
from workloads.notes.payload import NotesOptions
from workloads.notes.prompts import LONGEST_NOTES, condensed, outline


def section(length: int) -> Section:
    return Section(heading=None, paragraphs=(("x" * length,),))


def test_neighbours_share_a_chunk_as_long_as_they_fit() -> None:
    sections = [section(40), section(40), section(40), section(500), section(10)]

    found = list(chunks(sections, 100))

    assert [len(chunk) for chunk in found] == [2, 1, 1, 1]
    assert [one for chunk in found for one in chunk] == sections


def test_no_sections_make_no_chunk() -> None:
    assert list(chunks([], 100)) == []


def notes(heading: str, *points: str) -> SectionNotes:
    return SectionNotes(heading=heading, points=points)


def test_parts_of_one_section_come_together() -> None:
    assert joined([notes("A", "1"), notes("A", "2"), notes("B", "3"), notes("A", "4")]) == (
        notes("A", "1", "2"),
        notes("B", "3"),
        notes("A", "4"),
    )


def test_terms_named_most_often_come_first_in_their_first_spelling() -> None:
    outlines = [
        Outline(sections=(), terms=("rare", "Lease")),
        Outline(sections=(), terms=("lease", "token")),
    ]

    assert together(outlines).terms == ("Lease", "rare", "token")


def test_terms_are_limited() -> None:
    many = Outline(sections=(), terms=tuple(f"term {number}" for number in range(99)))

    assert len(together([many]).terms) == MOST_TERMS


def test_a_prompt_holds_the_wish_the_language_and_the_text() -> None:
    asked = outline((section(30),), NotesOptions(language="nl", custom_prompt="Be kind."))

    assert "nl" in asked.system
    assert "Be kind." in asked.system
    assert "x" * 30 in asked.user


def test_condensed_notes_fit_and_name_every_section() -> None:
    sections = [notes(f"Heading {n}", *("y" * 300 for _ in range(12))) for n in range(20)]

    text = condensed(sections)

    assert len(text) <= LONGEST_NOTES
    assert all(f"## Heading {n}\n" in text for n in range(20))
