"""What can go wrong with schedules. The docstring of each is its message."""

from __future__ import annotations

from jobs.exceptions import FieldErrors, TransitionRefused


class InvalidSchedule(FieldErrors):
    """A field of the schedule breaks a rule."""


class NameTaken(TransitionRefused):
    """There is one of this name already."""


class DeclaredInCode(TransitionRefused):
    """The schedule is declared in code, and changed there. Here it can be switched on and off."""


class CalendarInUse(TransitionRefused):
    """Schedules name the calendar."""

    @classmethod
    def by(cls, number: int) -> CalendarInUse:
        what = "1 schedule names it" if number == 1 else f"{number:,} schedules name it"
        return cls(f"The calendar is in use: {what}. Take it out of them first.", schedules=number)


class NotRun(TransitionRefused):
    """No job could be made."""
