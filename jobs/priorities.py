"""Priority 0-100, higher first, and its four named levels. Pure."""

from enum import StrEnum


class Level(StrEnum):
    """A band of priorities with a broker queue of its own, most urgent first."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


LOWEST, HIGHEST = 0, 100
FLOORS = {Level.URGENT: 90, Level.HIGH: 70, Level.NORMAL: 30, Level.LOW: 0}
NAMED = {Level.URGENT: 95, Level.HIGH: 75, Level.NORMAL: 50, Level.LOW: 10}


def level_of(priority: int) -> Level:
    """The level a priority falls in."""
    return next(level for level, floor in FLOORS.items() if priority >= floor)


def parse(value: int | str) -> int:
    """A priority from either form: a level's name, or a whole number 0-100.

    Raises ValueError with a message for people.
    """
    if isinstance(value, str) and value in NAMED:
        return NAMED[Level(value)]
    if isinstance(value, int) and not isinstance(value, bool) and LOWEST <= value <= HIGHEST:
        return value
    raise ValueError(f"a priority is a whole number 0-100 or one of {', '.join(NAMED)}")
