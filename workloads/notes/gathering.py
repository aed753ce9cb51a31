"""Putting the notes of parts together."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from workloads.notes.notes import Outline, SectionNotes

MOST_TERMS = 10


def joined(outlined: Sequence[SectionNotes]) -> tuple[SectionNotes, ...]:
    """Neighbours of one heading, the parts of a long section, as one."""
    return tuple(
        SectionNotes(heading=heading, points=tuple(point for one in group for point in one.points))
        for heading, group in groupby(outlined, key=lambda one: one.heading)
    )


def together(outlines: Sequence[Outline]) -> Outline:
    """All sections, and the terms without repetition, those named most often first."""
    named = [term for outline in outlines for term in outline.terms]
    spelling: dict[str, str] = {}
    for term in named:
        spelling.setdefault(term.casefold(), term)
    # `most_common` keeps the order of first mention among equals.
    ranked = Counter(term.casefold() for term in named).most_common(MOST_TERMS)
    return Outline(
        sections=joined([section for outline in outlines for section in outline.sections]),
        terms=tuple(spelling[key] for key, _ in ranked),
    )
