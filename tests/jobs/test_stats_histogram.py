"""Waiting times in buckets, and what is read from them."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from jobs.stats.histogram import (
    BUCKET_SQL,
    BUCKETS,
    ERROR_RATIO,
    FACTOR,
    FLOOR_SECONDS,
    added,
    counted,
    middle,
    quantile,
)


def bucket_of(seconds: float) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {BUCKET_SQL.format(seconds='%s::float')}", [seconds])
        (bucket,) = cursor.fetchone()
    return int(bucket)


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [0.001, 0.0013, 0.1, 1.0, 59.9, 3600.0, 86_400.0 * 20])
def test_a_wait_lies_in_its_bucket(seconds: float) -> None:
    bucket = bucket_of(seconds)
    lowest = FLOOR_SECONDS * FACTOR**bucket
    assert lowest * 0.999 <= seconds < lowest * FACTOR * 1.001


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "bucket"), [(0, 0), (-5, 0), (1e12, BUCKETS - 1)])
def test_what_is_out_of_range_lies_at_the_edge(seconds: float, bucket: int) -> None:
    assert bucket_of(seconds) == bucket


@pytest.mark.django_db
@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_is_off_by_no_more_than_is_said(share: float) -> None:
    chance = random.Random(7)
    waits = sorted(chance.lognormvariate(0, 2) for _ in range(400))
    histogram: list[int] = []
    for wait in waits:
        histogram = added(histogram, counted(bucket_of(wait), 1))
    true = waits[int(share * len(waits)) - 1]
    estimate = quantile(histogram, share)
    assert estimate is not None
    assert abs(estimate / true - 1) <= ERROR_RATIO + 0.001


def test_nothing_measured_has_no_quantile() -> None:
    assert quantile([], 0.5) is None
    assert quantile([0, 0], 0.5) is None


def test_one_wait_is_every_quantile() -> None:
    assert [quantile(counted(9, 1), share) for share in (0.01, 0.5, 1.0)] == [middle(9)] * 3


def test_histograms_of_different_length_add_up() -> None:
    assert added([1, 2], [0, 1, 5]) == [1, 3, 5]
