"""JSON laid out for a person: text as text, flat objects as tables, the rest as indented JSON.

Bounded: a value of a megabyte is cut to what a browser shows at once, and the page says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jobs.secret import masked

SHOWN = 20_000  # characters of one text
BLOCKS = 40
LINES = 200  # of an outline
_DEPTH = 4
ROWS = 50
_COLUMNS = 8
_INLINE = 120
_FOLDED = {"text": 6_000, "json": 1_500}  # longer ones are folded


@dataclass(frozen=True, kw_only=True)
class Line:
    """Of an outline: `depth` steps to the right, a name, a value; either may be empty."""

    depth: int
    name: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """One piece of a value. `kind`: `facts` (rows of name and value), `table` (head and rows),
    `list` (rows of one value), `outline` (lines), `text` or `json` (text)."""

    kind: str
    title: str = ""
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    lines: tuple[Line, ...] = ()
    text: str = ""
    folded: bool = False
    note: str = ""


def readable(value: Any) -> list[Block]:
    """The blocks of a value, secrets masked; none where there is nothing to show."""
    if value is None or value == {}:
        return []
    blocks: list[Block] = []
    for block in _blocks(masked(value)):
        if len(blocks) == BLOCKS:
            break
        blocks.append(block)
    return blocks


def _blocks(value: Any) -> Iterator[Block]:
    if isinstance(value, Mapping):
        yield from _of_object(value)
    else:
        yield _of_one("", value)


def _of_object(value: Mapping[str, Any]) -> Iterator[Block]:
    """What fits into lines, then texts, then the rest."""
    short = [(key, _word(item)) for key, item in value.items() if _is_short(item)]
    if short:
        yield Block(kind="facts", rows=tuple(short[:ROWS]), note=_cut(len(short), "entries"))
    long = [(key, item) for key, item in value.items() if not _is_short(item)]
    for key, item in sorted(long, key=lambda pair: not isinstance(pair[1], str)):
        yield _of_one(key, item)


def _of_one(title: str, value: Any) -> Block:
    if isinstance(value, str):
        return _text(title, value)
    if isinstance(value, list) and value and all(_is_short(item) for item in value):
        words = tuple((_word(item),) for item in value[:ROWS])
        return Block(kind="list", title=title, rows=words, note=_cut(len(value), "entries"))
    if isinstance(value, list) and (head := _columns(value)):
        rows = tuple(tuple(_word(item.get(name, "")) for name in head) for item in value[:ROWS])
        return Block(kind="table", title=title, head=head, rows=rows, note=_cut(len(value), "rows"))
    if isinstance(value, Mapping) and value and all(_is_short(item) for item in value.values()):
        facts = tuple((key, _word(item)) for key, item in list(value.items())[:ROWS])
        return Block(kind="facts", title=title, rows=facts, note=_cut(len(value), "entries"))
    if not isinstance(value, Mapping | list):
        return _json(title, value)
    lines = tuple(islice(_outline(value, 0), LINES + 1))
    deepest = max((line.depth for line in lines), default=_DEPTH + 1)
    length = sum(len(line.name) + len(line.text) for line in lines)
    if len(lines) > LINES or deepest > _DEPTH or length > SHOWN:
        return _json(title, value)
    return Block(kind="outline", title=title, lines=lines)


def _outline(value: Any, depth: int) -> Iterator[Line]:
    """Objects and lists as lines. One line deeper than _DEPTH stands for all that is."""
    for name, item in value.items() if isinstance(value, Mapping) else (("", i) for i in value):
        if not (isinstance(item, Mapping | list) and item):
            yield Line(depth=depth, name=name, text=_word(item))
        elif depth == _DEPTH:
            yield Line(depth=depth + 1, name=name, text="")
        else:
            head, rest = (name, item) if name else _headed(item)
            if head:
                yield Line(depth=depth, name=head, text="")
            yield from _outline(rest, depth + 1)


def _headed(entry: Any) -> tuple[str, Any]:
    """An entry of a list by its first text, and the rest of it."""
    if isinstance(entry, Mapping):
        for name, item in entry.items():
            if isinstance(item, str) and item:
                return item, {key: other for key, other in entry.items() if key != name}
    return "", entry


def _is_short(value: Any) -> bool:
    """Whether it fits into a line."""
    if isinstance(value, str):
        return len(value) <= _INLINE and "\n" not in value
    return value is None or isinstance(value, bool | int | float) or value in ({}, [])


def _columns(rows: list[Any]) -> tuple[str, ...]:
    """The columns of a list of flat objects; none where it is no table."""
    if not all(isinstance(row, Mapping) for row in rows[:ROWS]):
        return ()
    names = dict.fromkeys(name for row in rows[:ROWS] for name in row)
    flat = all(_is_short(item) for row in rows[:ROWS] for item in row.values())
    return tuple(names) if flat and 0 < len(names) <= _COLUMNS else ()


def _word(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _text(title: str, text: str, *, kind: str = "text") -> Block:
    note = f"The first {SHOWN:,} of {len(text):,} characters." if len(text) > SHOWN else ""
    folded = len(text) > _FOLDED[kind]
    return Block(kind=kind, title=title, text=text[:SHOWN], folded=folded, note=note)


def _json(title: str, value: Any) -> Block:
    return _text(title, json.dumps(value, ensure_ascii=False, indent=2), kind="json")


def _cut(number: int, what: str) -> str:
    return f"The first {ROWS} of {number:,} {what}." if number > ROWS else ""
