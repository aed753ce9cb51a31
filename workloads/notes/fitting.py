"""Notes of very long documents, cut to what a job's result may hold."""

import json
from dataclasses import replace

from workloads.notes.extraction import MOST_POINTS
from workloads.notes.notes import Notes

MOST_BYTES = 800_000
"""A result may have a mebibyte."""


def fitted(notes: Notes, most_bytes: int = MOST_BYTES) -> Notes:
    """The same notes where they fit; else with fewer points a section, then with fewer sections.

    A warning tells of it.
    """
    if _size(notes) <= most_bytes:
        return notes
    for points in range(MOST_POINTS - 1, 0, -1):
        shorter = _with_points(notes, points)
        if _size(shorter) <= most_bytes:
            return shorter
    while len(shorter.sections) > 1 and _size(shorter) > most_bytes:
        shorter = replace(shorter, sections=shorter.sections[: len(shorter.sections) * 3 // 4])
    return shorter


def _with_points(notes: Notes, most: int) -> Notes:
    sections = tuple(replace(one, points=one.points[:most]) for one in notes.sections)
    warning = "The document is so long that its notes had to be shortened."
    return replace(notes, sections=sections, warnings=(*notes.warnings, warning))


def _size(notes: Notes) -> int:
    return len(json.dumps(notes.as_result(), ensure_ascii=False).encode())
