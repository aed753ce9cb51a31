"""The ids that a span of time reaches, for any time that there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from accounts.ids import first_id_of, new_id
from webhooks.by_time import highest_id, lowest_id

LEAST = UUID(int=0)
FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "moment", [datetime.min.replace(tzinfo=UTC), FIRST - timedelta(hours=23), FIRST]
)
def test_before_all_ids_there_is_a_lowest_and_no_fault(moment: datetime) -> None:
    assert (first_id_of(moment), lowest_id(moment)) == (LEAST, LEAST)
    assert highest_id(moment) < new_id()


def test_after_all_ids_there_is_a_highest_and_no_fault() -> None:
    moment = datetime.max.replace(tzinfo=UTC)
    assert new_id() < lowest_id(moment) <= highest_id(moment)


def test_a_span_leaves_room_on_both_sides() -> None:
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert lowest_id(at) < first_id_of(at) < highest_id(at)
    assert lowest_id(at) == first_id_of(at - timedelta(minutes=10))
    assert highest_id(at) == first_id_of(at + timedelta(minutes=10))
