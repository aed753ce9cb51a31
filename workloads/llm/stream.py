"""A POST whose answer is read line by line, within hard bounds of time and size.

It leaves by `jobs.egress` like all calls; the server is the one that the operator named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.egress import BrokenOff, Failure, Request, stream
from workloads.llm.errors import BadAnswer, LanguageModelError, OutOfTime, Refused, Unavailable
from workloads.llm.refusals import raise_for_status

MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Call:
    """What to send, and how long (seconds) and how large (bytes) the answer may be."""

    url: str
    body: Mapping[str, Any]
    total_seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    max_bytes: int = MAX_BYTES


def streamed_lines(call: Call, tick: Callable[[], None]) -> Generator[bytes, None, None]:
    """The lines of the answer as they arrive, without their ends.

    `tick` runs several times a second while waiting and may raise. Raises `LanguageModelError`.
    Closing the iterator ends the connection.
    """
    try:
        with stream(_request(call), tick=tick) as answer:
            raise_for_status(answer.status, answer.headers.get("retry-after"))
            yield from answer.lines()
    except BrokenOff as error:
        raise _meaning(error) from error


def _request(call: Call) -> Request:
    return Request(
        url=call.url,
        body=json.dumps(call.body).encode(),
        headers={"Content-Type": "application/json", **call.headers},
        timeout_seconds=call.total_seconds,
        most_bytes=call.max_bytes,
        of_operator=True,
    )


def _meaning(error: BrokenOff) -> LanguageModelError:
    match error.failure:
        case Failure.BLOCKED_ADDRESS:
            return Refused("The language model's URL is none that can be called.")
        case Failure.TOO_LARGE:
            return BadAnswer("The language model's answer was too large.")
        case Failure.TIMED_OUT if error.was_connected:
            return OutOfTime("The language model did not finish its answer in the time allowed.")
        case Failure.TIMED_OUT | Failure.NAME_TIMED_OUT:
            return Unavailable("The language model's server did not answer in time.")
        case _ if error.had_answer:
            return BadAnswer("The language model's answer broke off.")
        case _:
            return Unavailable("The language model's server cannot be reached.")
