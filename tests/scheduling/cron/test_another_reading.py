"""croniter reads cron as we do, in UTC, wherever the grammar of both is the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import islice

from croniter import croniter  # type: ignore[import-untyped]  # it has no types
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scheduling.cron import CronError, parse
from tests.scheduling.cron import strategies
from tests.scheduling.cron.making import timing

# What croniter reads in another way, or not at all.
_RANGE_OF_ONE = re.compile(r"(?<!\w)(\w+)-\1(?!\w)")  # the whole field there
_OPEN_WEEKDAYS = re.compile(r"(^|,)\w+/")  # ends with Saturday there, with Sunday here
_OTHER_MARKS = re.compile(r"LW|L,|,L|\dL|[A-Z]{3}L", re.IGNORECASE)


def read_alike(cron: str) -> bool:
    _, _, days, _, weekdays = cron.split()
    both = days != "*" and weekdays != "*"
    return not (
        _RANGE_OF_ONE.search(cron)
        or _OPEN_WEEKDAYS.search(weekdays)
        or _OTHER_MARKS.search(cron)
        or ("#" in weekdays and (both or not re.fullmatch(r"\w+#\d", weekdays)))
        or (both and "*" in days + weekdays)  # "and" there means a field that is all days
    )


@settings(deadline=None, max_examples=150)
@given(
    strategies.crons.filter(read_alike), st.datetimes(datetime(1975, 1, 1), datetime(2095, 1, 1))
)
def test_moments_in_utc_are_those_of_croniter(cron: str, start: datetime) -> None:
    try:
        parse(cron)
    except CronError:
        assume(False)
    begin = start.replace(microsecond=0, tzinfo=UTC)
    theirs = croniter(cron, begin, max_years_between_matches=60)

    found = list(islice(timing(cron).after(begin), 5))
    assert found == [theirs.get_next(datetime) for _ in range(5)]
    back = croniter(cron, found[-1], max_years_between_matches=60)
    assert list(islice(timing(cron).before(found[-1]), 4)) == [
        back.get_prev(datetime) for _ in range(4)
    ]
