"""What an answer means for its delivery. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from jobs.egress import Answer, Failure
from webhooks.retrying import told_wait

GONE = "gone"  # an error: the endpoint wants nothing any more
_BUSY = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`error` is one word, empty where the request arrived; `message` says it in a sentence.

    `is_final`: another attempt is of no use. `is_gone`: the endpoint wants nothing any more.
    `wait`: seconds for which it asked to be left alone.
    """

    error: str = ""
    message: str = ""
    is_final: bool = False
    is_gone: bool = False
    wait: float | None = None

    @property
    def arrived(self) -> bool:
        return not self.error


def judge(answer: Answer, now: datetime) -> Verdict:
    """2xx arrived; a redirect is an answer like any other and not followed."""
    if answer.error is not None or answer.status is None:
        error = answer.error or Failure.PROTOCOL
        is_final = error == Failure.BLOCKED_ADDRESS
        return Verdict(error=error.value, message=answer.message, is_final=is_final)
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Verdict()
    if answer.status == HTTPStatus.GONE:
        message = "The endpoint answered 410: it wants no more events."
        return Verdict(error=GONE, message=message, is_final=True, is_gone=True)
    wait = told_wait(answer.headers.get("retry-after"), now) if answer.status in _BUSY else None
    return Verdict(error="status", message=_sentence(answer.status), wait=wait)


def _sentence(status: int) -> str:
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return f"The endpoint answered {status}, which does not say that the event arrived."
    if status < HTTPStatus.BAD_REQUEST:
        return f"The endpoint answered {status}: redirects are not followed."
    return f"The endpoint answered {status}."
