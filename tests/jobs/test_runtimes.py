"""What the dispatcher expects of a job type's run time."""

from __future__ import annotations

from random import Random

from jobs.dispatcher.runtimes import Runtimes


def measured(*seconds: float) -> float:
    runtimes = Runtimes()
    for value in seconds:
        runtimes.record("t", value)
    expected = runtimes.expected("t")
    assert expected is not None
    return expected


def test_nothing_is_expected_of_a_type_never_measured() -> None:
    runtimes = Runtimes()
    runtimes.record("known", 1)

    assert runtimes.expected("other") is None


def test_the_first_measurement_is_not_trusted_to_the_full() -> None:
    assert measured(1.0) == 3.0


def test_a_steady_type_is_expected_at_its_run_time() -> None:
    assert abs(measured(*[0.2] * 100) - 0.2) < 0.001


def test_a_type_that_scatters_counts_as_slower_than_its_mean() -> None:
    random = Random(3)
    seconds = [random.uniform(0.1, 0.3) for _ in range(500)]

    assert 0.3 < measured(*seconds) < 0.6


def test_one_slow_run_makes_a_short_type_long_at_once_and_not_for_ever() -> None:
    assert measured(*[0.01] * 50, 10.0) > 1
    assert measured(*[0.01] * 50, 10.0, *[0.01] * 100) < 0.1
