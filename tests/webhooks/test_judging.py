"""What is said of an answer. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from jobs.egress import Answer, Failure
from webhooks.judging import judge

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 204, 226, 299])
def test_only_2xx_arrived_and_there_is_nothing_to_say(status: int) -> None:
    verdict = judge(Answer(status=status), NOW)
    assert (verdict.arrived, verdict.error, verdict.message) == (True, "", "")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (103, "The endpoint answered 103, which does not say that the event arrived."),
        (302, "The endpoint answered 302: redirects are not followed."),
        (404, "The endpoint answered 404."),
        (500, "The endpoint answered 500."),
    ],
)
def test_any_other_status_is_told_for_what_it_is(status: int, sentence: str) -> None:
    verdict = judge(Answer(status=status), NOW)
    assert (verdict.error, verdict.message) == ("status", sentence)
    assert not verdict.is_final


def test_a_good_status_of_an_answer_that_is_not_whole_does_not_count() -> None:
    verdict = judge(Answer(status=200, error=Failure.CONNECTION_LOST, message="It broke."), NOW)
    assert (verdict.error, verdict.message) == ("connection_lost", "It broke.")
