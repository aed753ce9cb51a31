"""What the declared schedules came to, a line each."""

from __future__ import annotations

from collections.abc import Iterator

from scheduling.declared import Synchronised
from scheduling.terminal.tables import line


def synchronised_lines(done: Synchronised) -> Iterator[str]:
    """`new      default: nightly`; those that are refused and vanished come last."""
    for word, names in (
        ("new", done.made),
        ("changed", done.changed),
        ("as it was", done.unchanged),
        ("removed", done.removed),
    ):
        for name in names:
            yield line(f"{word:<9} {name}")
    for name in done.vanished:
        yield line(f"vanished  {name}: declared no longer, and goes on; --prune removes it")
    for name, why in done.refused.items():
        yield line(f"refused   {name}: {why}")
