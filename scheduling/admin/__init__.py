"""Schedules and calendars in the Django admin: to look at, and to change by audited verbs."""

from scheduling.admin import calendars, schedules

__all__ = ["calendars", "schedules"]
