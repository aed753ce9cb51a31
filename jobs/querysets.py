"""Named reads of jobs. Writes that change a status are `jobs.lifecycle`'s alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from accounts import tenants
from jobs.states import ACTIVE, Status

if TYPE_CHECKING:
    from jobs.models import Job  # noqa: F401 (named in a string below)


class JobQuerySet(models.QuerySet["Job"]):
    def without_ours(self) -> JobQuerySet:
        """Without the platform's own, which nobody sees."""
        return self.exclude(tenant__in=tenants.platform_ids())

    def ready(self) -> JobQuerySet:
        """May be sent to a worker: queued and without a message on its way."""
        return self.filter(status=Status.QUEUED, dispatched_at=None)

    def in_flight(self) -> JobQuerySet:
        """Sent, not yet claimed."""
        return self.filter(status=Status.QUEUED, dispatched_at__isnull=False)

    def active(self) -> JobQuerySet:
        """Not at an end yet."""
        return self.filter(status__in=ACTIVE)

    def dead(self) -> JobQuerySet:
        """Dead letters: failed and not discarded."""
        return self.filter(status=Status.FAILED, discarded_at=None)
