"""What an attempt came to: each kind of end, and what is kept of an error."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import Backoff, Cancel, CancelRequested, LeaseLost, Retry, Snooze
from jobs.control import ShuttingDown, Terminated, TimedOut
from jobs.worker.outcome import (
    MAX_MESSAGE,
    MAX_TRACEBACK,
    Cancelled,
    Failed,
    Lost,
    Outcome,
    Released,
    RetryLater,
    RetryPolicy,
    Snoozed,
    classify,
    described,
    storable,
)

BACKOFF = Backoff(base_seconds=10, factor=2, max_seconds=100, jitter=0)


def policy(**changes: Any) -> RetryPolicy:
    return RetryPolicy(**{"backoff": BACKOFF, "retry_count": 0, "max_retries": 3, **changes})


def classified(exception: BaseException, secrets: tuple[str, ...] = (), **changes: Any) -> Outcome:
    return classify(exception, policy(**changes), random=Random(1), secrets=secrets)


@pytest.mark.parametrize(
    ("exception", "kind"),
    [
        (OSError("no"), RetryLater),
        (Retry(), RetryLater),
        (TimedOut(), RetryLater),
        (Snooze(5), Snoozed),
        (Cancel("enough"), Cancelled),
        (CancelRequested(), Cancelled),
        (Terminated(), Cancelled),
        (ShuttingDown(), Released),
        (LeaseLost(), Lost),
        (SystemExit(1), Failed),
        (KeyboardInterrupt(), Failed),
    ],
)
def test_each_kind_of_end_has_its_outcome(exception: BaseException, kind: type) -> None:
    assert type(classified(exception)) is kind


@pytest.mark.parametrize("exception", [OSError("no"), Retry(after=5), TimedOut()])
def test_used_up_retries_end_the_job(exception: BaseException) -> None:
    assert isinstance(classified(exception, retry_count=2), RetryLater)
    assert isinstance(classified(exception, retry_count=3), Failed)
    assert isinstance(classified(exception, max_retries=0), Failed)


@pytest.mark.parametrize("exception", [Snooze(5), ShuttingDown()])
def test_what_spends_no_retry_needs_none(exception: BaseException) -> None:
    assert not isinstance(classified(exception, max_retries=0), Failed)


def test_an_exception_that_is_never_retried_fails_at_once_even_if_a_base_of_it_is() -> None:
    changes: dict[str, Any] = {"autoretry_for": (LookupError,), "dont_autoretry_for": (KeyError,)}

    assert isinstance(classified(IndexError(), **changes), RetryLater)
    assert isinstance(classified(KeyError("x"), **changes), Failed)
    assert isinstance(classified(ValueError(), **changes), Failed)


@pytest.mark.parametrize(("retry_count", "delay"), [(0, 10), (1, 20), (2, 40)])
def test_a_retry_waits_by_the_backoff(retry_count: int, delay: float) -> None:
    outcome = classified(OSError(), retry_count=retry_count)

    assert isinstance(outcome, RetryLater)
    assert outcome.delay_seconds == delay


@pytest.mark.parametrize(("after", "delay"), [(0, 0), (7.5, 7.5), (-3, 0)])
def test_a_retry_asked_for_waits_as_asked(after: float, delay: float) -> None:
    outcome = classified(Retry(after=after))

    assert isinstance(outcome, RetryLater)
    assert outcome.delay_seconds == delay


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300, -1e300, 10**400])
def test_no_wait_is_longer_than_the_database_can_tell(seconds: float) -> None:
    for exception in (Retry(after=seconds), Snooze(seconds)):
        outcome = classified(exception)
        assert isinstance(outcome, RetryLater | Snoozed)
        assert 0 <= outcome.delay_seconds <= 3650 * 86_400


def test_a_job_that_cancels_itself_says_why() -> None:
    outcome = classified(Cancel("nothing left to do"))

    assert isinstance(outcome, Cancelled)
    assert outcome.error is not None
    assert outcome.error["message"] == "nothing left to do"


def raised(exception: BaseException) -> BaseException:
    try:
        raise exception
    except BaseException as caught:  # noqa: BLE001 - it is what the test is about
        return caught


def test_an_error_is_kept_with_its_type_message_and_frames() -> None:
    error = described(raised(OSError("disk full")))

    assert (error["type"], error["message"], error["details"]) == ("OSError", "disk full", {})
    assert "in raised" in error["traceback"]


@pytest.mark.parametrize("secret", ["s3cr3t-token", "two words", "ü✓", "'quoted'", "back\\slash\n"])
@pytest.mark.parametrize("kind", [ValueError, KeyError, OSError])
def test_a_secret_appears_nowhere_in_a_kept_error(secret: str, kind: type[Exception]) -> None:
    try:
        raise RuntimeError(f"while using {secret}") from kind(secret)
    except RuntimeError as exception:
        outcome = classified(exception, secrets=(secret,))

    assert isinstance(outcome, RetryLater)
    kept = outcome.error["message"] + outcome.error["traceback"]
    assert secret not in kept
    assert repr(secret)[1:-1] not in kept
    assert "***" in outcome.error["message"]


@pytest.mark.parametrize("secrets", [("abc", "abcdef"), ("abcdef", "abc"), ("cdef", "abcdef")])
def test_of_a_secret_that_contains_another_nothing_is_left(secrets: tuple[str, ...]) -> None:
    assert storable("pw=abcdef", secrets) == "pw=***"


def test_a_secret_is_removed_before_the_message_is_cut() -> None:
    secret = "s" * 100
    message = "x" * (MAX_MESSAGE - 50) + secret

    assert "sss" not in described(ValueError(message), [secret])["message"]


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_exception_that_cannot_be_printed_is_an_outcome_like_any_other() -> None:
    outcome = classified(Unprintable())

    assert isinstance(outcome, RetryLater)
    assert outcome.error["type"] == "Unprintable"


def test_an_error_has_a_bounded_size() -> None:
    error = described(raised(ValueError("x" * 10**6)))

    assert len(error["message"]) == MAX_MESSAGE
    assert len(error["traceback"]) <= MAX_TRACEBACK


@given(st.text())
def test_text_that_is_kept_can_be_stored(text: str) -> None:
    kept = storable(text + "\x00\ud800")

    assert "\x00" not in kept
    assert json.loads(json.dumps(kept)).encode()
