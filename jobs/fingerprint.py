"""Which failures are of one kind. Pure.

A fingerprint stands for the job's type, the error's type and where the error was raised: the
innermost functions by module and name, without line numbers and paths, so that it outlives a
deploy and is the same on every machine. An error without a traceback goes by its message, with all
that differs from job to job taken out.
"""

from __future__ import annotations

import hashlib
import re
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

FRAMES = 8
_LONGEST_NAME, _LONGEST_MESSAGE = 200, 500
# What calls the job's code is the same for every job.
_OURS = ("jobs.worker.",)
# Where such an end comes upon a job says nothing about why.
_BY_TYPE_ALONE = frozenset({"TimedOut", "worker_lost", "given_up"})

_VARYING = (
    (re.compile(r"(?<!\w)(['\"`])(?:(?!\1)[^\n])*\1(?!\w)|“[^”\n]*”|«[^»\n]*»"), "…"),
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "#"),
    (re.compile(r"\b(?:0x[0-9a-f]+|(?=[a-f]*\d)[0-9a-f]{8,})\b", re.IGNORECASE), "#"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "#"),
    (re.compile(r"\s+"), " "),
)


def frames_of(raised: TracebackType | None) -> list[str]:
    """The innermost functions that the error came through, outermost first: `shop.mail.send`."""
    names: list[str] = []
    for frame, _ in traceback.walk_tb(raised):
        module = str(frame.f_globals.get("__name__", "?"))
        name = f"{module}.{frame.f_code.co_qualname}"[:_LONGEST_NAME]
        if not module.startswith(_OURS) and names[-1:] != [name]:  # a recursion of any depth is one
            names.append(name)
    return names[-FRAMES:]


def cause_of(error: Mapping[str, Any]) -> str:
    """What jobs of one type that failed alike have in common. `fingerprint` hashes it with the
    type; the database does the same where it ends jobs of many types in one statement."""
    kind = str(error.get("type", ""))
    if kind in _BY_TYPE_ALONE:
        return f"\n{kind}"
    frames = error.get("frames")
    return "\n".join(["", kind, *(frames or [normalised(str(error.get("message", "")))])])


def fingerprint(job_type: str, error: Mapping[str, Any]) -> str:
    """32 hexadecimal digits. The same as SQL writes."""
    return hashlib.sha256((job_type + cause_of(error)).encode()).hexdigest()[:32]


SQL = "left(encode(sha256(convert_to(job.type || %(cause)s::text, 'UTF8')), 'hex'), 32)"


def normalised(message: str) -> str:
    """A message without numbers, ids and quoted texts."""
    for pattern, stand_in in _VARYING:
        message = pattern.sub(stand_in, message[: _LONGEST_MESSAGE * 4])
    return message.strip()[:_LONGEST_MESSAGE]
