"""What one check found."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`detail` is what is so; `way_out` what to do about it, empty where all is well."""

    level: Level
    subject: str
    detail: str
    way_out: str = ""


Check = Callable[[], Finding]


def ok(subject: str, detail: str) -> Finding:
    return Finding(level=Level.OK, subject=subject, detail=detail)


def warn(subject: str, detail: str, way_out: str) -> Finding:
    return Finding(level=Level.WARN, subject=subject, detail=detail, way_out=way_out)


def fail(subject: str, detail: str, way_out: str) -> Finding:
    return Finding(level=Level.FAIL, subject=subject, detail=detail, way_out=way_out)
