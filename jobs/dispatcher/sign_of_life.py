"""Whether somebody leads the dispatch."""

from __future__ import annotations

from django.db.models.functions import Now

from jobs.dispatcher.loop import DUTY
from jobs.models import Leadership

PATIENCE_SECONDS = 10.0  # a successor takes over in less


def leaderless_seconds() -> float | None:
    """For how long nobody has led; 0 while somebody does, None where nobody ever did."""
    row = Leadership.objects.filter(duty=DUTY, expires_at__isnull=False).annotate(now=Now()).first()
    if row is None or row.expires_at is None:
        return None
    return max(0.0, (row.now - row.expires_at).total_seconds())


def is_led() -> bool:
    gone = leaderless_seconds()
    return gone is not None and gone <= PATIENCE_SECONDS
