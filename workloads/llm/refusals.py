"""What a status code of a language model's server means."""

from datetime import datetime
from email.utils import parsedate_to_datetime

from django.utils import timezone

from workloads.llm.errors import Busy, Refused, Unavailable

LONGEST_PATIENCE = 3600.0


def raise_for_status(status: int, retry_after: str | None) -> None:
    """Return for 2xx only; every other status becomes a `LanguageModelError`.

    A redirect is refused: documents go to the server the operator named, nowhere else.
    """
    if 200 <= status < 300:
        return
    patience = seconds_until(retry_after, timezone.now())
    if status == 429 or (status == 503 and patience is not None):
        raise Busy("The language model's server has too much to do.", retry_after=patience)
    if status >= 500 or status == 408:
        raise Unavailable(f"The language model's server failed (status {status}).")
    raise Refused(f"The language model's server refused the request (status {status}).")


def seconds_until(retry_after: str | None, now: datetime) -> float | None:
    """`Retry-After` in seconds, from 0 to an hour; None where it is absent or unreadable.

    Both forms of RFC 9110, section 10.2.3: a number of seconds, or a date.
    """
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _seconds_to_date(retry_after, now)
    if not seconds >= 0:  # NaN as well
        return None
    return min(seconds, LONGEST_PATIENCE)


def _seconds_to_date(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return float("nan")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return max(0.0, (moment - now).total_seconds())
