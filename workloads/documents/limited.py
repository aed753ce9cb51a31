"""Blocks gathered up to the limit of text, evened out, without empty ones."""

from dataclasses import replace

from workloads.documents.block import Block, Opened
from workloads.documents.decoding import clean
from workloads.documents.limits import Limits

COST_OF_A_BLOCK = 20
"""Characters that a block counts for beside its text, so that a million empty ones cost too."""


class Gathering:
    """Takes blocks and warnings in the order of the document."""

    def __init__(self, limits: Limits) -> None:
        self.blocks: list[Block] = []
        self.warnings: list[str] = []
        self.title: str | None = None
        self._room = limits.text_characters
        self._most = limits.text_characters

    @property
    def is_full(self) -> bool:
        return self._room <= 0

    def add(self, block: Block) -> None:
        """Take the block, if there is anything in it and room for it."""
        text = " ".join(clean(block.text).split())
        if self.is_full or not (text or block.kind in {"code", "table"}):
            return
        self.blocks.append(replace(block, text=text[: self._room]))
        self._room -= len(text) + COST_OF_A_BLOCK
        if self._room <= 0:
            self.warnings.append(
                f"The document is longer than {self._most:,} characters; the rest is left out."
            )

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def opened(self) -> Opened:
        """All that was taken."""
        title = " ".join(clean(self.title or "").split())[:200]
        return Opened(blocks=tuple(self.blocks), title=title or None, warnings=tuple(self.warnings))
