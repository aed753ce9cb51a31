"""The meaning of status codes and of `Retry-After`, by tables."""

from datetime import UTC, datetime

import pytest

from workloads.llm.errors import Busy, LanguageModelError, Refused, Unavailable
from workloads.llm.refusals import raise_for_status, seconds_until

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        ("1.5", 1.5),
        ("999999", 3600),
        ("-1", None),
        ("nan", None),
        ("soon", None),
        ("", None),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0),
        ("Fri, 02 Jan 2026 12:00:00 GMT", 3600),
        ("Thu, 01 Jan 2026 12:00:30 -0000", 30),
    ],
)
def test_retry_after_is_read_in_both_its_forms(header: str | None, seconds: float | None) -> None:
    assert seconds_until(header, NOW) == seconds


@pytest.mark.parametrize(
    ("status", "retry_after", "error"),
    [
        (429, None, Busy),
        (429, "5", Busy),
        (503, "5", Busy),
        (503, None, Unavailable),
        (503, "soon", Unavailable),
        (500, "5", Unavailable),
        (502, None, Unavailable),
        (408, None, Unavailable),
        (301, None, Refused),
        (401, None, Refused),
        (404, None, Refused),
        (422, None, Refused),
    ],
)
def test_a_status_says_whether_another_attempt_can_help(
    status: int, retry_after: str | None, error: type[LanguageModelError]
) -> None:
    with pytest.raises(error):
        raise_for_status(status, retry_after)


def test_success_raises_nothing() -> None:
    raise_for_status(200, None)
