"""What every format comes down to: blocks of text in their order."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "paragraph", "item", "code", "table"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Lines that belong together; `level` is that of a heading, from 1.

    Code and tables have no text: sentences cannot be taken from them.
    """

    kind: Kind
    text: str = ""
    level: int = 0
    lines: int = 1


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What was found in a document. `title` is what it calls itself outside of its text.

    `warnings` tells people what could not be read.
    """

    blocks: tuple[Block, ...]
    title: str | None = None
    warnings: tuple[str, ...] = ()
