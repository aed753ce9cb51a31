"""Blocks, or the plain text or Markdown they are made of, to a `Document`.

Code and tables are left out with a warning, because sentences cannot be taken from them.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from workloads.documents import Block, EmptyDocument, markdown
from workloads.notes.document import Document, Paragraph, Section
from workloads.notes.sentences import sentences
from workloads.notes.shortening import fewer_sentences, shorter_text

LONGEST_HEADING = 300
LONGEST_IMPLIED_HEADING = 60
SHORTEST_PARAGRAPH_BELOW = 60
LONGEST_UNHEADED = 1500
LONGEST_SECTION = 6000
"""Characters; longer sections are divided between paragraphs."""

_SHORTENED = (
    "The document is so long that the notes are made of a part of it, the beginning of its "
    "sections."
)


def read(text: str, warnings: tuple[str, ...] = ()) -> Document:
    """The document in `text`, which is clean; raises `EmptyDocument` if it has no sentence."""
    return assemble(list(markdown.blocks(text)), warnings)


def assemble(
    blocks: Sequence[Block], warnings: tuple[str, ...] = (), title: str | None = None
) -> Document:
    """The document made of `blocks`; `title` is its name where no heading is.

    Raises `EmptyDocument` where there is no sentence.
    """
    found = _imply_headings([_plausible(block) for block in blocks])
    heading, below = _take_title(found)
    kept = shorter_text(below)
    whole = tuple(_sections(kept))
    sections = fewer_sentences(whole)
    if not sections:
        raise EmptyDocument
    return Document(
        title=heading or title,
        sections=tuple(part for section in sections for part in _divide(section)),
        warnings=(
            *warnings,
            *([] if kept == below and sections == whole else [_SHORTENED]),
            *_left_out(found),
        ),
    )


def _plausible(block: Block) -> Block:
    """A heading that runs on without end is a paragraph set in a heading's style."""
    if block.kind == "heading" and len(block.text) > LONGEST_HEADING:
        return Block(kind="paragraph", text=block.text)
    return block


def _imply_headings(found: Sequence[Block]) -> list[Block]:
    """Short lines alone above a paragraph become headings: the first a title, the others level 2.

    Only where the author marked none, for in Markdown such a line is just a short paragraph.
    """
    if any(block.kind == "heading" for block in found):
        return list(found)
    implied = {
        number
        for number, (block, below) in enumerate(pairwise(found))
        if _is_short_line(block) and len(below.text) >= SHORTEST_PARAGRAPH_BELOW
    }
    if 1 in implied and _is_short_line(found[0]):
        implied.add(0)
    return [
        Block(kind="heading", text=block.text, level=2 if number else 1)
        if number in implied
        else block
        for number, block in enumerate(found)
    ]


def _is_short_line(block: Block) -> bool:
    return (
        block.kind == "paragraph"
        and block.lines == 1
        and len(block.text) <= LONGEST_IMPLIED_HEADING
        and re.search(r"[^\W\d_]", block.text) is not None
        and re.search(r"[.!?,;:…]$", block.text) is None
    )


def _take_title(found: list[Block]) -> tuple[str | None, list[Block]]:
    """A first block that is the only heading of the highest level, or of level 1, and the rest."""
    levels = [block.level for block in found if block.kind == "heading"]
    if not found or found[0].kind != "heading":
        return None, found
    top = found[0].level
    if top == 1 or (top == min(levels) and levels.count(top) == 1):
        return found[0].text or None, found[1:]
    return None, found


def _sections(found: Sequence[Block]) -> Iterator[Section]:
    heading: str | None = None
    paragraphs: list[Paragraph] = []
    for block in found:
        if block.kind == "heading":
            if paragraphs:
                yield Section(heading=heading, paragraphs=tuple(paragraphs))
            heading, paragraphs = block.text or None, []
        elif own := sentences(block.text):
            paragraphs.append(own)
    if paragraphs:
        yield Section(heading=heading, paragraphs=tuple(paragraphs))


def _divide(section: Section) -> Iterator[Section]:
    """The section in parts of a size one can take in, each with the section's heading."""
    longest = LONGEST_SECTION if section.heading else LONGEST_UNHEADED
    part: list[Paragraph] = []
    size = 0
    for paragraph in _short_paragraphs(section, longest):
        length = sum(map(len, paragraph))
        if part and size + length > longest:
            yield Section(heading=section.heading, paragraphs=tuple(part))
            part, size = [], 0
        part.append(paragraph)
        size += length
    yield Section(heading=section.heading, paragraphs=tuple(part))


def _short_paragraphs(section: Section, longest: int) -> Iterator[Paragraph]:
    for paragraph in section.paragraphs:
        part: list[str] = []
        size = 0
        for sentence in paragraph:
            if part and size + len(sentence) > longest:
                yield tuple(part)
                part, size = [], 0
            part.append(sentence)
            size += len(sentence)
        yield tuple(part)


def _left_out(found: list[Block]) -> Iterator[str]:
    counts = Counter(block.kind for block in found)
    if counts["code"]:
        yield f"{_counted(counts['code'], 'code block')} left out of the notes."
    if counts["table"]:
        yield f"{_counted(counts['table'], 'table')} left out of the notes."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
