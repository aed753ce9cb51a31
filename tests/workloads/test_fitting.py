"""Notes that would not fit into a job's result."""

import json

import pytest

from workloads.notes.fitting import fitted
from workloads.notes.notes import Notes, SectionNotes


def notes(sections: int, points: int) -> Notes:
    return Notes(
        title="T",
        summary="S.",
        sections=tuple(
            SectionNotes(heading=f"H{number}", points=("A point of some length.",) * points)
            for number in range(sections)
        ),
        key_terms=(),
        quiz=None,
        method="extractive",
        model=None,
        language="en",
        words_in=1,
        warnings=("first",),
    )


def test_notes_that_fit_are_left_alone() -> None:
    short = notes(3, 5)

    assert fitted(short, 10_000) is short


@pytest.mark.parametrize(("most", "sections"), [(4_000, 40), (2_000, 22)])
def test_longer_notes_lose_points_before_sections_and_say_so(most: int, sections: int) -> None:
    shorter = fitted(notes(40, 5), most)

    assert len(json.dumps(shorter.as_result()).encode()) <= most
    assert len(shorter.sections) == sections
    assert all(section.points for section in shorter.sections)
    assert shorter.warnings[0] == "first"
    assert len(shorter.warnings) == 2
