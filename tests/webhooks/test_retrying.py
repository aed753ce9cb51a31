"""When a delivery is tried again. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
from pytest_django import Settings

from webhooks.retrying import LONGEST_TOLD, strategy_of, told_wait

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_as_configured_it_is_three_attempts_with_doubling_waits(settings: Settings) -> None:
    settings.WEBHOOK_BACKOFF_SECONDS, settings.WEBHOOK_MAX_ATTEMPTS = 30.0, 3
    assert strategy_of(None).waits == (30, 60)
    assert strategy_of({}).most_attempts == 3


@pytest.mark.parametrize(
    ("retry", "waits"),
    [
        ({"max_attempts": 1}, ()),
        ({"max_attempts": 4, "backoff_seconds": 1}, (1, 2, 4)),
        ({"max_attempts": 5, "backoff_seconds": 10, "max_seconds": 25}, (10, 20, 25, 25)),
        ({"schedule": []}, ()),
        ({"schedule": [5, 300, 1800]}, (5, 300, 1800)),
    ],
)
def test_an_endpoint_may_say_it_differently(
    retry: dict[str, object], waits: tuple[float, ...]
) -> None:
    assert tuple(strategy_of(retry).waits) == waits


def test_waits_are_spread_by_a_tenth() -> None:
    strategy = strategy_of({"schedule": [100, 1_000]})
    for number, wait in ((1, 100), (2, 1_000)):
        waits = [strategy.wait(number, Random(seed)) for seed in range(200)]
        assert 0.9 * wait <= min(waits) < 0.95 * wait
        assert 1.05 * wait < max(waits) <= 1.1 * wait


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120), (" 7 ", 7), ("0", 0), ("99999999999999999999", LONGEST_TOLD),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60), ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
        ("Mon, 02 Mar 2026 12:00:00 GMT", LONGEST_TOLD),
        ("soon", None), ("", None), (None, None), ("-5", None), ("1.5", None), ("٣", None),
        ("Sun, 01 Mar 2026 12:01:00", None),
    ],
)  # fmt: skip
def test_a_retry_after_is_read_as_seconds_or_as_a_date(
    header: str | None, seconds: float | None
) -> None:
    assert told_wait(header, NOW) == seconds
