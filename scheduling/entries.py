"""Beat's plain entries: Celery tasks that somebody put into django-celery-beat's tables, and the
platform's own housekeeping. They stay Celery's, but for three things that it does not keep.

Any number of beats may run: before one sends an entry, it looks, with the row locked, whether the
entry is still due by what the database knows. `last_run_at` is written then, not minutes later, so
a beat that is killed leaves nothing to be sent twice. And what could not be sent is due again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from jobs.lifecycle.statement import bound_waits

_ModelEntry: Any = ModelEntry  # it has no types


class Entry(_ModelEntry):  # type: ignore[misc]  # as above
    _claimed: tuple[datetime | None, datetime] | None = None  # `last_run_at` before, and since

    def save(self) -> None:
        """What beat remembers of its own sending is written by `claim` already."""

    def claim(self) -> bool:
        """Whether this beat may send it now; then no other one does."""
        with transaction.atomic():
            bound_waits()
            rows = PeriodicTask.objects.select_for_update(of=("self",), no_key=True)
            row = rows.filter(pk=self.model.pk, enabled=True).annotate(clock=Now()).first()
            if row is None:
                return False
            before, now = row.last_run_at, row.clock  # the next line writes to the row
            if not type(self)(row, app=self.app).is_due().is_due:
                return False
            changes = {"last_run_at": now, "total_run_count": F("total_run_count") + 1}
            PeriodicTask.objects.filter(pk=row.pk).update(**changes)
        self._claimed = (before, now)
        return True

    def give_back(self) -> None:
        """It was claimed and could not be sent: due as before, unless it was claimed since."""
        if self._claimed is None:
            return
        (before, since), self._claimed = self._claimed, None
        changes = {"last_run_at": before, "total_run_count": F("total_run_count") - 1}
        PeriodicTask.objects.filter(pk=self.model.pk, last_run_at=since).update(**changes)
