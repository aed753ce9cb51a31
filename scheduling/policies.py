"""What a schedule does when a run would overlap another, and when its time was missed."""

from django.db import models


class Overlap(models.TextChoices):
    """While a job of the schedule has not ended."""

    ALLOW = "allow", "start another"
    SKIP = "skip", "leave this run out"
    REPLACE = "replace", "cancel it, and start this one after it"


class Misfire(models.TextChoices):
    """For moments at which nothing could be started, since no scheduler ran."""

    SKIP = "skip", "leave them out"
    RUN_ONCE = "run_once", "run the last of them"
    RUN_ALL = "run_all", "run them all, up to a limit"


class Decision(models.TextChoices):
    """What became of a moment."""

    FIRED = "fired"
    SKIPPED = "skipped"  # on purpose: overlap, a calendar, a job that waits already
    MISSED = "missed"  # nobody was there in time, and the misfire policy leaves it out
    REFUSED = "refused"  # no job could be made: its type is unknown, its payload outdated, a quota
