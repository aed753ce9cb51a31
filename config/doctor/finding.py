"""What one check found."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """NOTE is worth knowing, WARN worth changing, FAIL keeps jobs from running or from being
    safe."""

    OK = "ok"
    NOTE = "note"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`detail` is what is so, `why` why it matters, `way_out` the next step: a command or a
    setting. The last two are empty where all is well."""

    level: Level
    subject: str
    detail: str
    why: str = ""
    way_out: str = ""


Check = Callable[[], Finding]


def ok(subject: str, detail: str) -> Finding:
    return Finding(level=Level.OK, subject=subject, detail=detail)


def note(subject: str, detail: str, *, why: str, way_out: str) -> Finding:
    return Finding(level=Level.NOTE, subject=subject, detail=detail, why=why, way_out=way_out)


def warn(subject: str, detail: str, *, why: str, way_out: str) -> Finding:
    return Finding(level=Level.WARN, subject=subject, detail=detail, why=why, way_out=way_out)


def fail(subject: str, detail: str, *, why: str, way_out: str) -> Finding:
    return Finding(level=Level.FAIL, subject=subject, detail=detail, why=why, way_out=way_out)
