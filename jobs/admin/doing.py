"""Doing something to many rows: each by itself, and what came of it in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.core.exceptions import ObjectDoesNotExist

from jobs.exceptions import JobsError

T = TypeVar("T")
MOST = 200  # rows at once
_GONE = "removed meanwhile"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How many rows it was done to, and how many not, by reason."""

    done: int
    refused: Counter[str]


def perform(rows: Sequence[T], act: Callable[[T], object], refusal: Callable[[T], str]) -> Outcome:
    """One that refuses stops no other. `refusal` says why it may not be done to a row."""
    done, refused = 0, Counter[str]()
    for row in rows:
        reason = refusal(row) or _attempt(row, act)
        done += not reason
        refused.update([reason] if reason else [])
    return Outcome(done=done, refused=refused)


def _attempt(row: T, act: Callable[[T], object]) -> str:
    try:
        act(row)
    except ObjectDoesNotExist:
        return _GONE
    except JobsError as error:
        return str(error).rstrip(".")
    return ""


def sentence(one: str, many: str, done: str, outcome: Outcome) -> str:
    """“2 endpoints enabled. 1 endpoint left alone: that is so already.”"""

    def count(number: int) -> str:
        return f"1 {one}" if number == 1 else f"{number} {many}"

    told = [f"{count(outcome.done)} {done}."] if outcome.done else []
    for reason, number in outcome.refused.most_common():
        told.append(f"{count(number)} left alone: {reason}.")
    return " ".join(told) or f"No {many} were chosen."
