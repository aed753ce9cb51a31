"""Time zones are those of the tz database, by exactly their names."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from scheduling.cron import CronError, zone_of


def test_each_zone_of_the_database_is_known() -> None:
    for name in available_timezones() - {"localtime", "Factory"}:
        assert zone_of(name).key == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "europe/amsterdam",
        "EUROPE/AMSTERDAM",
        "Europe/Amsterdam ",
        "Europe/Amsterdam\x00",
        "Europe/Amsterdam\n",
        "Europe",
        "Europe/",
        "../Europe/Amsterdam",
        "/usr/share/zoneinfo/UTC",
        "/etc/passwd",
        "posix/UTC",
        "localtime",
        "Factory",
        "CET-1CEST",
        "+02:00",
        "Mars/Olympus",
        "\ud800",
        pytest.param("U" * 100_000, id="long"),
    ],
)
def test_any_other_name_is_refused_in_words(name: str) -> None:
    with pytest.raises(CronError, match="is not a time zone; write one such as") as caught:
        zone_of(name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 120
