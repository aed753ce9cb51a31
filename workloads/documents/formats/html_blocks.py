"""HTML to blocks, in the order of the text. Nothing here depends on how deep it is nested."""

import re
from collections.abc import Iterator

from lxml import etree, html

from workloads.documents.block import Block, Kind
from workloads.documents.errors import OversizedDocument, UnreadableDocument
from workloads.documents.limits import Limits


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SKIPPED = _words(
    "head script style template noscript svg math iframe object audio video canvas "
    "form button select textarea nav"
)
_BLOCKS = _words(
    "html body p div section article main header footer aside blockquote dl dt dd ul ol li figure "
    "figcaption address details summary center hr h1 h2 h3 h4 h5 h6 "
    "table caption thead tbody tfoot tr td th"
)
_GROUPS_OF_ROWS = _words("thead tbody tfoot")
_HEADING = re.compile(r"h([1-6])")
_CHARSET = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE
)
_CLOSED = re.compile(r"<(title|script|style|iframe|textarea|a|b|i|span|div|p)\b([^<>]{0,500})/>")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def parse_xhtml(content: bytes, limits: Limits) -> html.HtmlElement:
    """The same for XHTML, where any element may close itself; HTML would take the text after an
    empty `<title/>` for the title. XML's entities mean nothing here."""
    text = decoded(content)
    return parse_html(_CLOSED.sub(r"<\1\2></\1>", text).encode("utf-8", "replace"), limits, "utf-8")


def parse_html(content: bytes, limits: Limits, charset: str | None = None) -> html.HtmlElement:
    """The root element. The parser drops what is nested too deep, so that is refused instead."""
    text = decoded(content, charset)
    if "\0" in text:
        raise UnreadableDocument("The file is not text.")
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError as error:  # nothing but comments
        raise UnreadableDocument(reason="no HTML element") from error
    if _depth(root) > limits.depth:
        raise OversizedDocument("The document is nested too deep.", limit="depth")
    return root


def decoded(content: bytes, charset: str | None = None) -> str:
    """The text by its byte order mark, its declared character set, as UTF-8, or as Windows' own."""
    marked = [name for mark, name in _MARKS if content.startswith(mark)]
    declared = _CHARSET.search(content[:2048])
    said = [charset] if charset else []
    said += [declared[1].decode("ascii", "replace")] if declared else []
    for encoding in [*marked, *said, "utf-8"]:
        try:
            return content.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return content.decode("cp1252", "replace")


def html_blocks(root: html.HtmlElement) -> Iterator[Block]:
    """Headings, paragraphs, list items; code and tables without their text."""
    reader = _Reader()
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            yield from reader.leave(element.tag)
            reader.hear(element.tail)
        elif element.tag in _SKIPPED:
            walk.skip_subtree()
        elif element.tag == "pre" or (element.tag == "table" and _has_columns(element)):
            yield from reader.close()
            yield Block(kind="code" if element.tag == "pre" else "table")
            walk.skip_subtree()
        else:
            yield from reader.enter(element.tag)
            reader.hear(element.text)
    yield from reader.close()


class _Reader:
    """At most one block is open, and closed where another element of a block begins or ends."""

    def __init__(self) -> None:
        self._kind: Kind = "paragraph"
        self._level = 0
        self._pieces: list[str] = []

    def hear(self, text: str | None) -> None:
        if text:
            self._pieces.append(text)

    def close(self) -> Iterator[Block]:
        text = " ".join("".join(self._pieces).split())
        self._pieces = []
        if text:
            yield Block(kind=self._kind, text=text, level=self._level)
            self._kind, self._level = "paragraph", 0

    def enter(self, tag: str) -> Iterator[Block]:
        if tag == "br":
            self.hear(" ")
        if tag not in _BLOCKS:
            return
        yield from self.close()
        if match := _HEADING.fullmatch(tag):
            self._kind, self._level = "heading", int(match[1])
        elif tag == "li":
            self._kind = "item"

    def leave(self, tag: str) -> Iterator[Block]:
        if tag in _BLOCKS:
            yield from self.close()
            if tag == "li" or _HEADING.fullmatch(tag):
                self._kind, self._level = "paragraph", 0


def _has_columns(table: html.HtmlElement) -> bool:
    """A table of one column is there for the looks, and holds text."""
    rows = (row for part in table for row in (part if part.tag in _GROUPS_OF_ROWS else [part]))
    return any(sum(cell.tag in {"td", "th"} for cell in row) > 1 for row in rows)


def _depth(root: html.HtmlElement) -> int:
    depth = deepest = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest
