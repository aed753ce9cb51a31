"""A schedule's rule, for a time at which it was not there yet."""

from __future__ import annotations

from datetime import datetime

from scheduling import timing
from scheduling.models import Schedule


def as_if_effective(schedule: Schedule, start: datetime) -> Schedule:
    """The same rule as if it had been there already; not to be saved."""
    columns = {each.attname: getattr(schedule, each.attname) for each in Schedule._meta.fields}
    return Schedule(**{**columns, "effective_from": start - timing.TICK})
