"""The waits between attempts, in figures."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.backoff import CRAWLER, DEFAULT, FIXED_30S, NONE, POLICIES, Backoff


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (DEFAULT, [120, 240, 480, 960, 1800, 1800]),
        (CRAWLER, [60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, 30720, 61440, 86400, 86400]),
        (FIXED_30S, [30, 30, 30]),
        (NONE, [0, 0, 0]),
    ],
)
def test_the_ready_made_policies_wait_as_published(policy: Backoff, expected: list[float]) -> None:
    still = Backoff(
        base_seconds=policy.base_seconds,
        factor=policy.factor,
        max_seconds=policy.max_seconds,
        jitter=0,
    )

    assert [still.delay_seconds(n, Random(1)) for n in range(len(expected))] == expected


def test_the_policies_are_known_by_name() -> None:
    assert list(POLICIES) == ["default", "crawler", "fixed_30s", "none"]
    assert POLICIES["crawler"] is CRAWLER


@pytest.mark.parametrize(("policy", "share"), [(DEFAULT, 0.1), (CRAWLER, 0.2), (FIXED_30S, 0)])
def test_jitter_spreads_a_wait_evenly_to_both_sides(policy: Backoff, share: float) -> None:
    random = Random(7)
    waits = [policy.delay_seconds(0, random) / policy.base_seconds for _ in range(2000)]

    assert 1 - share <= min(waits) <= max(waits) <= 1 + share
    if share:
        assert min(waits) < 1 - 0.9 * share
        assert max(waits) > 1 + 0.9 * share
        assert abs(sum(waits) / len(waits) - 1) < 0.1 * share


@pytest.mark.parametrize("retry_number", [64, 1024, 5000, 10**9])
@pytest.mark.parametrize("factor", [1.0, 2.0, 1e6, 1e300])
def test_a_wait_is_capped_after_any_number_of_retries(retry_number: int, factor: float) -> None:
    policy = Backoff(base_seconds=10, factor=factor, max_seconds=600, jitter=0)

    assert policy.delay_seconds(retry_number, Random(1)) == (10 if factor == 1 else 600)


@given(
    base=st.floats(0, 1e6),
    factor=st.floats(0, 1e6),
    longest=st.floats(0, 1e6),
    jitter=st.floats(0, 1),
    number=st.integers(0, 10_000),
    seed=st.integers(),
)
def test_a_wait_is_never_negative_nor_far_beyond_its_cap(
    base: float, factor: float, longest: float, jitter: float, number: int, seed: int
) -> None:
    policy = Backoff(base_seconds=base, factor=factor, max_seconds=longest, jitter=jitter)

    assert 0 <= policy.delay_seconds(number, Random(seed)) <= 2 * longest


def test_no_base_means_no_wait_however_fast_it_grows() -> None:
    policy = Backoff(base_seconds=0, factor=1e300, jitter=0)

    assert policy.delay_seconds(64, Random(1)) == 0
