"""Sections in portions that a language model can take in at once."""

from collections.abc import Iterator, Sequence

from workloads.notes.document import Section

Chunk = tuple[Section, ...]


def chunks(sections: Sequence[Section], longest: int) -> Iterator[Chunk]:
    """Neighbouring sections together, up to `longest` characters; a longer section stands alone."""
    chunk: list[Section] = []
    size = 0
    for section in sections:
        length = len(section.text)
        if chunk and size + length > longest:
            yield tuple(chunk)
            chunk, size = [], 0
        chunk.append(section)
        size += length
    if chunk:
        yield tuple(chunk)
