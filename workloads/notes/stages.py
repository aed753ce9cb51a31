"""How far the work is: each stage has its share of the hundred."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

TYPICAL_PIECES = 250
"""About how many pieces an answer has; no server tells in advance."""


class Watch(Protocol):
    """Who is told, and who says stop. A `jobs.JobContext` is one."""

    def progress(self, percent: float, message: str = "") -> None: ...

    def raise_if_cancelled(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stretch of the work, from `start` to `end` percent."""

    watch: Watch
    start: float
    end: float
    message: str

    def begin(self) -> None:
        """Report the start; raises if the job was cancelled."""
        self.heard(0)

    def heard(self, pieces: int) -> None:
        """Report an answer of so many pieces: it comes nearer to the end and never reaches it."""
        self.watch.raise_if_cancelled()
        share = 1 - math.exp(-pieces / TYPICAL_PIECES)
        self.watch.progress(self.start + (self.end - self.start) * share, self.message)

    def parts(self, count: int) -> Iterator["Stage"]:
        """The stage in equal parts, numbered in their message where there are several."""
        width = (self.end - self.start) / max(count, 1)
        for number in range(count):
            yield Stage(
                watch=self.watch,
                start=self.start + number * width,
                end=self.start + (number + 1) * width,
                message=self.message + (f" part {number + 1} of {count}" if count > 1 else ""),
            )
