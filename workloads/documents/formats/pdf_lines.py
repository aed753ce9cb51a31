"""Lines as they stand on pages to paragraphs: a PDF knows where ink is, not what it means."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from workloads.documents.block import Block, Kind

_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|pagina)\s+)?\d{1,4}(?:\s*(?:/|of|von|van)\s*\d{1,4})?\W*"
)
_BULLET = re.compile(r"\s*[•◦▪●‣·–*-]\s+(?=\S)")
_ENDS = (".", "!", "?", ":", "…", ".”", '."', ".»", ".)")
_SHORT_LINE = 0.75
"""Of a full line; a paragraph's last line is seldom longer."""
_REPEATED = 3
_LONGEST_HEADING = 60


def blocks_of(pages: Sequence[str], headings: Mapping[str, int]) -> Iterator[Block]:
    """The paragraphs of all pages, without running heads and page numbers.

    `headings` are lines known to be headings, with their level. Without any, short lines stay
    paragraphs of one line.
    """
    lines = _lines(pages)
    full = _full_length(lines)
    reader = _Paragraphs(full, headings)
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        yield from reader.take(line, below)
    yield from reader.close()


class _Paragraphs:
    """Takes line after line; at most one paragraph is open."""

    def __init__(self, full: int, headings: Mapping[str, int]) -> None:
        self._full = full
        self._headings = headings
        self._kind: Kind = "paragraph"
        self._open: list[str] = []

    def close(self) -> Iterator[Block]:
        if self._open:
            yield Block(kind=self._kind, text=_joined(self._open), lines=len(self._open))
        self._open, self._kind = [], "paragraph"

    def take(self, line: str, below: str) -> Iterator[Block]:
        if not line:
            yield from self.close()
        elif line in self._headings:
            yield from self.close()
            yield Block(kind="heading", text=line, level=self._headings[line])
        elif match := _BULLET.match(line):
            yield from self.close()
            self._kind = "item"
            self._open = [line[match.end() :]]
        else:
            if self._open and self._begins_anew(line, below):
                yield from self.close()
            self._open.append(line)

    def _begins_anew(self, line: str, below: str) -> bool:
        """After a short line that ends a sentence, or a heading; a sentence begins large."""
        above = self._open[-1]
        if not line[:1].isupper():
            return False
        if len(above) > _SHORT_LINE * self._full:
            return above.endswith(_ENDS) and self._is_heading(line, below)
        return above.endswith(_ENDS) or (len(self._open) == 1 and self._kind == "paragraph")

    def _is_heading(self, line: str, below: str) -> bool:
        """A short line that ends no sentence, above one that begins a sentence."""
        is_short = len(line) < min(_LONGEST_HEADING, _SHORT_LINE * self._full)
        return is_short and line[-1:].isalnum() and below[:1].isupper() and len(below) > len(line)


def _lines(pages: Sequence[str]) -> list[str]:
    divided = [[" ".join(line.split()) for line in page.splitlines()] for page in pages]
    divided = [_trimmed(page) for page in divided]
    edges = Counter(_form(line) for page in divided for line in {*page[:1], *page[-1:]})
    repeated = {form for form, count in edges.items() if count >= max(_REPEATED, len(pages) / 2)}
    return [line for page in divided for line in _without_edges(page, repeated)]


def _trimmed(page: list[str]) -> list[str]:
    """Without empty lines at either end."""
    filled = [number for number, line in enumerate(page) if line]
    return page[filled[0] : filled[-1] + 1] if filled else []


def _without_edges(page: list[str], repeated: set[str]) -> list[str]:
    """Without the running head and foot and the page's number, which are its outermost lines."""
    for end in (0, -1):
        while page and (_PAGE_NUMBER.fullmatch(page[end]) or _is_running(page, end, repeated)):
            page = page[1:] if end == 0 else page[:-1]
    return page


def _is_running(page: list[str], end: int, repeated: set[str]) -> bool:
    """A page's only line is its text, however much it is like those of other pages."""
    return len(page) > 1 and _form(page[end]) in repeated


def _form(line: str) -> str:
    """What is the same in running heads that carry a number."""
    return re.sub(r"\d+", "0", line)


def _full_length(lines: Sequence[str]) -> int:
    lengths = sorted(len(line) for line in lines if line)
    return lengths[len(lengths) * 9 // 10] if lengths else 0


def _joined(lines: Sequence[str]) -> str:
    """One text; a word divided at a line's end is whole again."""
    pieces: list[str] = []
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        divided = line.endswith("-") and line[-2:-1].isalpha() and below[:1].islower()
        pieces += [line[:-1]] if divided else [line, " "]
    return "".join(pieces).strip()
