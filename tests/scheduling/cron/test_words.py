"""Expressions in English: the sentences, and that each says one thing only."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import assume, given, settings

from scheduling.cron import CronError, in_words, parse
from tests.scheduling.cron import strategies
from tests.scheduling.cron.making import timing, utc

SENTENCES = {
    "* * * * *": "Every minute",
    "*/30 * * * *": "Every 30 minutes",
    "0,30 * * * *": "Every 30 minutes",
    "*/60 * * * *": "Every hour",
    "@hourly": "Every hour",
    "5 * * * *": "At 5 minutes past every hour",
    "1 * * * *": "At 1 minute past every hour",
    "5,20 * * * *": "At 5 and 20 minutes past every hour",
    "*/7 * * * *": "At 0, 7, 14 and so on to 56 minutes past every hour",
    "1-59/2 * * * *": "At 1, 3, 5 and so on to 59 minutes past every hour",
    "0-5,7 * * * *": "At 0 to 5 and 7 minutes past every hour",
    "0 */6 * * *": "Every 6 hours",
    "0 */12 * * *": "Every day at 00:00 and 12:00",
    "0 */5 * * *": "Every day at 00:00, 05:00, 10:00, 15:00 and 20:00",
    "0 9-17 * * *": "Every hour from 09:00 to 17:00",
    "15 */2 * * *": "At 15 minutes past the hours 0, 2, 4 and so on to 22",
    "30 9-17 * * *": "At 30 minutes past every hour from 9 to 17",
    "* 9 * * *": "Every minute from 09:00 to 09:59",
    "10-20 5 * * *": "Every minute from 05:10 to 05:20",
    "*/5 9 * * *": "Every 5 minutes from 09:00 to 09:55",
    "* 0,12 * * *": "Every minute in the hours 0 and 12",
    "0-5,7,9,11 3 * * *": "At 0 to 5, 7, 9 and 11 minutes past hour 3",
    "*/15 9-17 * * 1-5": "Every weekday, every 15 minutes from 09:00 to 17:45",
    "0 2 * * *": "Every day at 02:00",
    "@daily": "Every day at 00:00",
    "30 5,17 * * *": "Every day at 05:30 and 17:30",
    "0 9 * * 1-5": "Every weekday at 09:00",
    "0 9 * * mon,wed,fri": "Every Monday, Wednesday and Friday at 09:00",
    "0 9 * * 0,6": "Every Saturday and Sunday at 09:00",
    "@weekly": "Every Sunday at 00:00",
    "0 0 * * 7": "Every Sunday at 00:00",
    "@monthly": "On the 1st of every month at 00:00",
    "@yearly": "On the 1st of January at 00:00",
    "0 0 21 * *": "On the 21st of every month at 00:00",
    "30 5 1,15 * *": "On the 1st and 15th of every month at 05:30",
    "0 0 1-7,11 * *": "On the 1st to 7th and 11th of every month at 00:00",
    "0 0 */2 * *": "On the 1st, 3rd, 5th and so on to 31st of every month at 00:00",
    "0 0 L * *": "On the last day of every month at 00:00",
    "0 0 LW * *": "On the last weekday of every month at 00:00",
    "0 0 15,L 1-3 *": "On the 15th and the last day of January to March at 00:00",
    "0 0 * * 1#2": "On the second Monday of every month at 00:00",
    "0 0 * 6,12 5L": "On the last Friday of June and December at 00:00",
    "0 0 * * 1,5L": "Every Monday and on the last Friday of every month at 00:00",
    "0 0 13 * 5": "On the 13th of every month and every Friday at 00:00",
    "0 0 1-31 * 1": "Every day at 00:00",
    "0 0 */10 * 1": "On the 1st, 11th, 21st and 31st of every month if it is a Monday, at 00:00",
    "0 0 L * */3": "On the last day of every month if it is a Wednesday, a Saturday or a Sunday, "
    "at 00:00",
    "0 9 * 7,8 *": "Every day in July and August at 09:00",
    "*/10 * 1 1 *": "On the 1st of January, every 10 minutes",
    "5 * * 1 *": "Every day in January, at 5 minutes past every hour",
    "@every 30m": "Every 30 minutes",
    "@every 90m": "Every 1 hour and 30 minutes",
    "@every 1h": "Every hour",
    "@every 7d": "Every 7 days",
    "@every 1d1h1m1s": "Every 1 day, 1 hour, 1 minute and 1 second",
}


@pytest.mark.parametrize("text", SENTENCES)
def test_an_expression_is_said_in_english(text: str) -> None:
    assert in_words(parse(text)) == SENTENCES[text]


MEANINGS: dict[str, tuple[object, str]] = {}


@settings(deadline=None, max_examples=400)
@given(strategies.crons)
def test_no_two_expressions_that_differ_are_said_alike(cron: str) -> None:
    try:
        sentence = in_words(parse(cron))
    except CronError:
        assume(False)
    assert sentence[0].isupper()
    assert sentence.isprintable()
    meaning = tuple(islice(timing(cron).after(utc("2026-01-01")), 40))
    known, other = MEANINGS.setdefault(sentence, (meaning, cron))
    assert known == meaning, f"{sentence}: {cron} and {other}"
