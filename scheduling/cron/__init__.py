"""Cron: what an expression means in a time zone. Pure: no database, no settings, no clock.

- `parse` reads an expression or refuses it in words for people.
- `Timing` gives its moments, forwards and backwards, by one rule about summer time.
- `in_words` says it in English.
"""

from scheduling.cron.errors import CronError
from scheduling.cron.expression import Expression, parse
from scheduling.cron.timing import DstPolicy, Timing
from scheduling.cron.words import in_words
from scheduling.cron.zones import zone_of

__all__ = ["CronError", "DstPolicy", "Expression", "Timing", "in_words", "parse", "zone_of"]
