"""T39: expressions that are to cost time, memory or a crash. Each is answered at once."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.cron import CronError, in_words, parse, zone_of
from tests.scheduling.cron.making import timing, utc

MOST_SECONDS = 0.05  # of processor time, and ten times what any needs

HOSTILE = {
    "nothing": "",
    "huge": "*" * 10_000_000,
    "many fields": "* " * 128,
    "many items": ",".join(["0-59/1"] * 35) + " * * * *",
    "many small items": ",".join("0" * 120) + " * * * *",
    "many empty items": "," * 248 + " * * * *",
    "many steps": "*" + "/1" * 120 + " * * * *",
    "many dashes": "1" + "-" * 240 + " * * * *",
    "a long number": "9" * 248 + " * * * *",
    "a long step": "*/" + "9" * 246 + " * * * *",
    "a long period": "@every " + "9" * 249,
    "a period of many parts": "@every " + "1d" * 124,
    "periods of nothing": "@every " + "0s" * 1,
    "marks": "0 0 * * " + ",".join(["1#1"] * 62),
    "never, by length": "0 0 30 2 *",
    "never, by both days": "0 0 */31 * MON#5",
    "never, in minutes": "* * 31 2,4,6,9,11 *",
    "every 40 years": "0 0 */28 2 MON#5",
    "every 40 years, each minute": "* * */28 2 MON#5",
    "reboot": "@reboot",
    "seconds": "* * * * * *",
    "years": "0 0 1 1 * 2026-9999",
    "jenkins": "H H * * *",
    "random": "R R * * *",
    "quartz": "0 0 ? * *",
    "other digits": "٣ ٣ * * *",
    "a half surrogate": "\ud800 * * * *",
    "NUL": "0 0 * * *\x00",
    "a second line": "0 0 * * *\n* * * * *",
    "a terminal's commands": "\x1b[2J * * * *",
    "a template": "{{7*7}} ${x} %s %(x)s *",
    "SQL": "'; DROP TABLE schedules; --",
}


def seconds_of(text: str, *, least: int) -> float:
    """The best of three: what the machine does besides is not the text's cost."""
    return min(_once(text, least) for _ in range(3))


def _once(text: str, least: int) -> float:
    begun = process_time()
    with suppress(CronError):
        in_words(parse(text, min_interval_seconds=least))
    return process_time() - begun


@pytest.mark.parametrize("least", [1, 60, 3600, 10**9])
@pytest.mark.parametrize("name", HOSTILE)
def test_t39_a_hostile_expression_is_answered_at_once(name: str, least: int) -> None:
    assert seconds_of(HOSTILE[name], least=least) < MOST_SECONDS


@pytest.mark.parametrize("name", HOSTILE)
def test_t39_a_refusal_is_short_and_harmless_to_print(name: str) -> None:
    try:
        sentence = in_words(parse(HOSTILE[name]))
    except CronError as error:
        sentence = str(error)
    assert sentence.isprintable()
    assert len(sentence) < 200


@given(st.text(max_size=256) | st.text("0123456789*/,-#LWMONJAN @", min_size=200, max_size=256))
def test_t39_any_text_is_answered_at_once(text: str) -> None:
    assert seconds_of(text, least=61) < MOST_SECONDS


@pytest.mark.parametrize("zone", ["UTC", "Europe/Amsterdam", "Australia/Lord_Howe"])
@pytest.mark.parametrize("policy", ["once", "skip", "all"])
@pytest.mark.parametrize(
    "text",
    [
        "0 0 */28 2 MON#5",
        "* * */28 2 MON#5",
        "30 2 * 3 0L",  # always leapt over in Amsterdam
        "0-59 2 * 3 0L",
        "59 23 31 12 *",
        "@every 3660d",
    ],
)
def test_t39_moments_that_are_rare_or_never_come_are_sought_at_once(
    text: str, policy: str, zone: str
) -> None:
    rare = timing(text, zone, policy)
    begun = process_time()
    for start in ("2026-01-01", "2099-03-01", "0001-01-01", "9999-12-31"):
        list(islice(rare.after(utc(start)), 3))
        list(islice(rare.before(utc(start)), 3))
    assert process_time() - begun < 8 * 6 * MOST_SECONDS


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "UTC\x00", "utc", "Europe", "\ud800", "posix/UTC"]
)
def test_t39_a_zone_is_a_name_and_never_a_path(name: str) -> None:
    with pytest.raises(CronError):
        zone_of(name)
