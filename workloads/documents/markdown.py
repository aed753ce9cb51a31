"""Lines of plain text or Markdown to blocks. One forgiving reader does for both.

A line stands for what it looks like: `#` and underlined lines are headings; list items are blocks
of their own; quotation marks of block quotes, HTML comments, images and emphasis disappear.
"""

import re
from collections.abc import Iterator

from workloads.documents.block import Block, Kind

_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_QUOTE = re.compile(r"^\s*(?:>\s?)+")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*)$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_RULE = re.compile(r"^ {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_ITEM = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(.*)$")
_TABLE_ROW = re.compile(r"^\s*\|.*\|\s*$")
# Each repetition has an end, so that no text takes time by the square of its length.
_INLINE = (
    (re.compile(r"!\[[^\]]{0,500}\]\([^)]{0,2000}\)"), ""),
    (re.compile(r"\[\^[^\]]{1,100}\]:?"), ""),
    (re.compile(r"\[([^\]]{1,500})\](?:\([^)]{0,2000}\)|\[[^\]]{0,500}\])"), r"\1"),
    (re.compile(r"<(https?://[^>]{1,2000})>"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]{0,2000}>"), ""),
    (re.compile(r"(?<!`)`{1,9}([^`]{1,2000})`{1,9}"), r"\1"),
    (re.compile(r"(?<![\w\\])(\*{1,3}|_{1,3}|~~)(?=\S)(.{1,400}?)(?<=[^\s\\])\1(?!\w)"), r"\2"),
    (re.compile(r"\\([\\`*_{}\[\]()#+.!|>~-])"), r"\1"),
)


def blocks(text: str) -> Iterator[Block]:
    """The blocks of `text` in order; front matter is skipped, code and tables lose their text."""
    reader = _BlockReader()
    for line in _uncommented(_FRONT_MATTER.sub("", text)).split("\n"):
        yield from reader.take(_QUOTE.sub("", line))
    yield from reader.close()


def plain(text: str) -> str:
    """Text of one line without Markdown's marks inside it."""
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def _uncommented(text: str) -> str:
    """Without HTML comments; one that never ends is none."""
    kept: list[str] = []
    start = 0
    while (begin := text.find("<!--", start)) >= 0 and (end := text.find("-->", begin + 4)) >= 0:
        kept.append(text[start:begin])
        start = end + 3
    return "".join([*kept, text[start:]])


def _unclosed(heading: str) -> str:
    """Without the hashes that may close a heading; those of `C#` belong to it."""
    text = heading.rstrip()
    without = text.rstrip("#")
    return without if without.endswith((" ", "\t")) else text


class _BlockReader:
    """Takes line after line; at most one block is open, and closed when another begins."""

    def __init__(self) -> None:
        self._kind: Kind = "paragraph"
        self._lines: list[str] = []
        self._fence = ""

    def close(self) -> Iterator[Block]:
        if self._lines:
            text = "" if self._kind == "table" else plain(" ".join(self._lines))
            yield Block(kind=self._kind, text=text, lines=len(self._lines))
            self._lines = []

    def take(self, line: str) -> Iterator[Block]:
        if self._fence:
            self._take_code(line)
        elif match := _FENCE.match(line):
            yield from self.close()
            yield Block(kind="code")
            self._fence = match[1]
        elif match := _HEADING.match(line):
            yield from self.close()
            yield Block(kind="heading", text=plain(_unclosed(match[2])), level=len(match[1]))
        elif self._is_underline(line):
            level = 1 if "=" in line else 2
            yield Block(kind="heading", text=plain(self._lines.pop()), level=level)
        elif not line.strip() or _RULE.match(line):
            yield from self.close()
        else:
            yield from self._take_text(line)

    def _take_code(self, line: str) -> None:
        if line.strip().startswith(self._fence) and not line.strip().strip(self._fence[0]):
            self._fence = ""

    def _is_underline(self, line: str) -> bool:
        below_one_line = len(self._lines) == 1 and self._kind == "paragraph"
        return below_one_line and _UNDERLINE.match(line) is not None

    def _take_text(self, line: str) -> Iterator[Block]:
        """A line of a table, an item, or of the paragraph or item that is open."""
        if _TABLE_ROW.match(line):
            yield from self._open("table", line, joining=self._kind == "table")
        elif match := _ITEM.match(line):
            yield from self._open("item", match[1], joining=False)
        elif self._kind == "item":
            yield from self._open("item" if self._lines else "paragraph", line, joining=True)
        else:
            yield from self._open("paragraph", line, joining=self._kind == "paragraph")

    def _open(self, kind: Kind, line: str, *, joining: bool) -> Iterator[Block]:
        if not joining:
            yield from self.close()
        self._kind = kind
        self._lines.append(line)
