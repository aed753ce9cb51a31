"""The page about cron tells what the engine does: its tables are read and run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from scheduling.cron import CronError, parse
from scheduling.cron.expression import NAMED
from tests.scheduling.cron.making import on_the_wall, timing, until, utc
from tests.scheduling.cron.nights import POLICIES

PAGE = (Path(settings.BASE_DIR) / "docs/reference/cron.md").read_text()
ZONE = "Europe/Amsterdam"
# Each night from 00:00 to 05:00 there, in UTC.
NIGHTS = {
    "29 March 2026": ("2026-03-28T22:59", "2026-03-29T03:00"),
    "25 October 2026": ("2026-10-24T21:59", "2026-10-25T04:00"),
}


def rows(after: str) -> list[list[str]]:
    """The cells of the first table after that text, without its head."""
    _, _, rest = PAGE.partition(after)
    table = re.search(r"\|---.*\|\n((?:\|.*\|\n)+)", rest)
    assert table is not None
    return [line.strip("| ").split(" | ") for line in table[1].splitlines()]


NIGHT_ROWS = [
    (night, expression.strip("`"), policy, cell if cell != "as `once`" else cells[0])
    for night in NIGHTS
    for expression, *cells in rows(night)
    for policy, cell in zip(POLICIES, cells, strict=True)
]


@pytest.mark.parametrize(("night", "expression", "policy", "cell"), NIGHT_ROWS)
def test_the_nights_are_as_the_tables_say(
    night: str, expression: str, policy: str, cell: str
) -> None:
    begin, end = (utc(text) for text in NIGHTS[night])
    moments = until(timing(expression, ZONE, policy).after(begin), end)
    times = [text.split()[1] for text in on_the_wall(moments, ZONE)]
    assert ", ".join(times) == cell.replace("–", "")


def test_the_tables_have_both_nights() -> None:
    assert len(NIGHT_ROWS) == (7 + 6) * len(POLICIES)


def test_the_names_are_as_the_table_says() -> None:
    told = {
        name: cron.strip("`")
        for names, cron in rows("## Names")
        for name in re.findall(r"@\w+", names)
    }
    assert told == NAMED


@pytest.mark.parametrize(("expression", "sentence"), rows("## What is refused"))
def test_what_the_page_says_is_refused_is_refused_so(expression: str, sentence: str) -> None:
    with pytest.raises(CronError) as caught:
        parse(expression.strip("`"))
    assert str(caught.value) == sentence
