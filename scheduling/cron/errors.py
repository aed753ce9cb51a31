"""What is wrong with an expression or the name of a zone."""

from __future__ import annotations


class CronError(ValueError):
    """Its text is for people: it names the field, and what stands there."""


def shown(text: str) -> str:
    """A stranger's text as a sentence may quote it: short, printable, in ASCII."""
    plain = text.encode("ascii", "backslashreplace").decode()
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain[:60])
    return plain if len(plain) <= 30 else f"{plain[:30]}…"
