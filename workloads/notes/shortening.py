"""Documents of any length, cut to what notes are made of: the beginning of every section.

Memory and time of the notes grow with their text, and a worker's child has no limit of its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from workloads.documents import Block
from workloads.notes.document import Paragraph, Section

MOST_CHARACTERS = 500_000
MOST_SENTENCES = 10_000
MOST_SECTIONS = 2_000


def shorter_text(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks themselves where they fit; else every section's first ones, all to one length.

    Of too many sections some are taken at even distances.
    """
    headings = sum(block.kind == "heading" for block in blocks)
    if sum(len(block.text) for block in blocks) <= MOST_CHARACTERS and headings < MOST_SECTIONS:
        return blocks
    sections = _spread([part for part in _by_heading(blocks) if _length(part)], MOST_SECTIONS)
    share = fair_share(map(_length, sections), MOST_CHARACTERS)
    return [block for section in sections for block in _beginning(section, share)]


def fewer_sentences(sections: Sequence[Section]) -> tuple[Section, ...]:
    """Every section, the longest without their last sentences where there are too many."""
    share = fair_share((len(section.sentences) for section in sections), MOST_SENTENCES)
    return tuple(
        replace(section, paragraphs=tuple(_first(section.paragraphs, share)))
        for section in sections
    )


def fair_share(sizes: Iterable[int], most: int) -> int:
    """The most that each may have so that all together have no more than `most`."""
    ordered = sorted(sizes)
    share = room = most
    for number, size in enumerate(ordered):
        share = room // (len(ordered) - number)
        if size > share:
            return share
        room -= size
    return max(ordered, default=share)


def _by_heading(blocks: Sequence[Block]) -> Iterator[list[Block]]:
    part: list[Block] = []
    for block in blocks:
        if block.kind == "heading" and part:
            yield part
            part = []
        part.append(block)
    yield part


def _length(part: Sequence[Block]) -> int:
    """Of its text, the heading left out."""
    return sum(len(block.text) for block in part if block.kind != "heading")


def _spread(parts: list[list[Block]], most: int) -> list[list[Block]]:
    if len(parts) <= most:
        return parts
    return [parts[number * len(parts) // most] for number in range(most)]


def _beginning(part: Sequence[Block], room: int) -> Iterator[Block]:
    for block in part:
        if block.kind == "heading":
            yield block
        elif room > 0:
            yield block if len(block.text) <= room else replace(block, text=_cut(block.text, room))
            room -= len(block.text)


def _cut(text: str, longest: int) -> str:
    """At a space, where there is one."""
    return text[:longest].rpartition(" ")[0] or text[:longest]


def _first(paragraphs: Sequence[Paragraph], room: int) -> Iterator[Paragraph]:
    for paragraph in paragraphs:
        if room > 0:
            yield paragraph[:room]
            room -= len(paragraph)
