"""What is an expression, and in which words another text is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduling.cron import CronError, parse

ACCEPTED = {
    "* * * * *": "* * * * *",
    "0 2 * * *": "0 2 * * *",
    "  5   4  1 1   0 ": "5 4 1 1 0",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@Midnight": "0 0 * * *",
    "@HOURLY": "0 * * * *",
    "*/5 */2 */3 */4 */5": "*/5 */2 */3 */4 */5",
    "*/1 * * * *": "* * * * *",
    "*/60 */24 */31 */12 */7": "*/60 */24 */31 */12 */7",
    "5/15 * * * *": "5-59/15 * * * *",
    "5-5/15 * * * *": "5 * * * *",
    "007 * * * *": "7 * * * *",
    "0-30/10,45 1,2-3 * * *": "0-30/10,45 1,2-3 * * *",
    "0 0 * jan,Feb-APR mon-FRI": "0 0 * 1,2-4 1-5",
    "0 0 * * 7": "0 0 * * 7",
    "0 0 * * 5-7": "0 0 * * 5-7",
    "0 0 L,lw * *": "0 0 L,LW * *",
    "0 0 * * mon#2,fril,0L": "0 0 * * 1#2,5L,0L",
    "0 0 31 2 1": "0 0 31 2 1",
}

FIVE = "an expression has five fields (minute, hour, day of month, month, day of week)"
REFUSED = {
    "": "the expression is empty; write five fields, as 0 2 * * *",
    "   ": "the expression is empty; write five fields, as 0 2 * * *",
    "* * * *": f"{FIVE}, not 4",
    "0 0 2 * * *": f"{FIVE}, not 6",
    "0 0 1 1 * 2026-2030": f"{FIVE}, not 6",
    "60 * * * *": "minute (field 1): 60 is not between 0 and 59",
    "0 25 * * *": "hour (field 2): 25 is not between 0 and 23",
    "0 0 0 * *": "day of month (field 3): 0 is not between 1 and 31",
    "0 0 1 13 *": "month (field 4): 13 is not between 1 and 12",
    "0 0 1 2026-2030 *": "month (field 4): 2026 is not between 1 and 12",
    "0 0 * * 8": "day of week (field 5): 8 is not between 0 and 7",
    "*/0 * * * *": "minute (field 1): the step 0 is not between 1 and 60",
    "*/90 * * * *": "minute (field 1): the step 90 is not between 1 and 60",
    "0 */25 * * *": "hour (field 2): the step 25 is not between 1 and 24",
    "0 0 * * */8": "day of week (field 5): the step 8 is not between 1 and 7",
    "*/x * * * *": "minute (field 1): the step 'x' is not a number",
    "*/ * * * *": "minute (field 1): the step '' is not a number",
    "*/5/5 * * * *": "minute (field 1): the step '5/5' is not a number",
    "30-10 * * * *": "minute (field 1): 30-10 runs backwards",
    "0 22-6 * * *": "hour (field 2): 22-6 runs backwards",
    "0 0 * * SAT-SUN": "day of week (field 5): SAT-SUN runs backwards; Sunday is 7 at the end of a "
    "range",
    "1,,2 * * * *": "minute (field 1): an item of its list is empty",
    ", * * * *": "minute (field 1): an item of its list is empty",
    "- * * * *": "minute (field 1): a number is missing",
    "1- * * * *": "minute (field 1): a number is missing",
    "-1 * * * *": "minute (field 1): a number is missing",
    "R * * * *": "minute (field 1): 'R' is not a number",
    "H H * * *": "minute (field 1): 'H' is not a number",
    "0 0 ? * *": "day of month (field 3): '?' is not a number",
    "0 0 * * ?": "day of week (field 5): '?' is not a number or SUN to SAT",
    "0 0 15W * *": "day of month (field 3): '15W' is not a number",
    "0 0 L-3 * *": "day of month (field 3): 'L' is not a number",
    "0 0 L/2 * *": "day of month (field 3): 'L' is not a number",
    "0 0 * * L": "day of week (field 5): 'L' is not a number or SUN to SAT",
    "0 0 * * MON#6": "day of week (field 5): MON#6 has to end in #1 to #5",
    "0 0 * * MON#": "day of week (field 5): MON# has to end in #1 to #5",
    "0 0 * * 9#1": "day of week (field 5): 9 is not between 0 and 7",
    "0 0 * * *-5": "day of week (field 5): '*' is not a number or SUN to SAT",
    "0 0 * monday *": "month (field 4): 'monday' is not a number or JAN to DEC",
    "0 0 * jan-foo *": "month (field 4): 'foo' is not a number or JAN to DEC",
    "0 mon * * *": "hour (field 2): 'mon' is not a number",
    "@reboot": "@reboot is not a time: a schedule runs by the clock only",
    "@daily 5": "nothing may follow @daily, as 5 does",
    "@fortnightly": "@fortnightly is not one of @yearly, @annually, @monthly, @weekly, @daily, "
    "@midnight, @hourly, @every",
    "0 0 30 2 *": "it never runs: no such day is in any year (fields 3, 4 and 5)",
    "0 0 31 4,6 *": "it never runs: no such day is in any year (fields 3, 4 and 5)",
    "0 0 */31 * MON#5": "it never runs: no such day is in any year (fields 3, 4 and 5)",
    "0\t2 * * *": r"'\x09' is not a character of expressions",
    "0 2 * * *\n": r"'\x0a' is not a character of expressions",
    "\u0663 * * * *": r"'\u0663' is not a character of expressions",
    "0\u00a02 * * *": r"'\xa0' is not a character of expressions",
    "0 2 * * *\x00": r"'\x00' is not a character of expressions",
    "\ud800": r"'\ud800' is not a character of expressions",
    "1" * 257: "an expression has at most 256 characters, not 257",
}


@pytest.mark.parametrize("text", ACCEPTED)
def test_an_expression_is_read_into_five_plain_fields(text: str) -> None:
    expression = parse(text)
    assert expression.cron == ACCEPTED[text]
    assert expression.text == text
    assert expression.period is None


@pytest.mark.parametrize("text", [ascii(text) for text in REFUSED])
def test_what_is_refused_is_told_by_field_and_by_what_stands_there(text: str) -> None:
    given_text = next(refused for refused in REFUSED if ascii(refused) == text)
    with pytest.raises(CronError) as caught:
        parse(given_text)
    assert str(caught.value) == REFUSED[given_text]


@pytest.mark.parametrize("weekday", range(8))
def test_a_leap_day_may_be_any_day_of_the_week(weekday: int) -> None:
    assert parse(f"0 0 */28 2 {weekday}#5").cron == f"0 0 */28 2 {weekday}#5"


def test_the_longest_text_is_256_characters() -> None:
    minutes = ",".join(["59"] * 82)
    text = f"{minutes} * * * *".ljust(256)
    assert len(text) == 256
    assert parse(text).cron is not None
    with pytest.raises(CronError, match="at most 256"):
        parse(f"{text} ")


def test_a_sentence_quotes_only_the_beginning_of_a_long_text() -> None:
    with pytest.raises(CronError) as caught:
        parse(f"{'9' * 200} * * * *")
    assert str(caught.value) == f"minute (field 1): {'9' * 30}… is not between 0 and 59"


@pytest.mark.parametrize(
    ("text", "closest"),
    [
        ("* * * * *", 60),
        ("*/7 * * * *", 240),  # from minute 56 to the next hour
        ("0,50 * * * *", 600),
        ("0,50 3 * * *", 3000),
        ("0 * * * *", 3600),
        ("59 23 * * *", 86400),
        ("0 0,23 * * *", 3600),  # over midnight
        ("0 0,23 * * 1,3", 82800),  # not over midnight: days that do not touch
        ("0 0 * * 1", 604800),
        ("0 0 L,1 * *", 86400),
        ("0 0 1 * *", 2419200),
        ("0 0 1 1 *", 31536000),
        ("0 0 29 2 *", 126230400),
    ],
)
def test_cron_is_held_to_the_least_interval_between_two_moments(text: str, closest: int) -> None:
    assert parse(text, min_interval_seconds=closest).cron is not None
    with pytest.raises(CronError) as caught:
        parse(text, min_interval_seconds=closest + 1)
    assert (
        str(caught.value) == f"it runs {closest} seconds apart, where {closest + 1} are the least"
    )


@given(st.text(max_size=300) | st.text("0123456789*/,-#LW? @everydMONJAN", max_size=40))
def test_any_text_is_taken_or_refused_and_nothing_else(text: str) -> None:
    try:
        expression = parse(text)
    except CronError as error:
        sentence = str(error)
    else:
        sentence = expression.cron or str(expression.period)
    assert sentence
    assert sentence.isprintable()
