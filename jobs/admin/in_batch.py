"""The jobs of one batch that a wish asks for. A batch has ten thousand at the most, so they may all
be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from jobs.admin.wish import Wish
from jobs.models import Job
from jobs.priorities import FLOORS, HIGHEST


def keys_in_batch(
    wish: Wish, batch: UUID, tenants: Sequence[int], number: int
) -> list[tuple[int, UUID]]:
    """The place in the order of acceptance and the id of the newest, at most `number`."""
    rows = Job.objects.filter(_condition(wish), batch=batch, tenant__in=tenants)
    return list(rows.order_by("-seq").values_list("seq", "pk")[:number])


def _condition(wish: Wish) -> Q:
    wanted = Q()
    if wish.before.isdecimal() and len(wish.before) < 19:
        wanted &= Q(seq__lt=int(wish.before))
    if wish.statuses:
        wanted &= Q(status__in=wish.statuses)
    if wish.dead:
        wanted &= Q(discarded_at=None)
    if wish.level:
        above = [floor for floor in FLOORS.values() if floor > FLOORS[wish.level]]
        highest = min(above, default=HIGHEST + 1) - 1
        wanted &= Q(priority__range=(FLOORS[wish.level], highest))
    if wish.created_since:
        wanted &= Q(created_at__gte=wish.created_since)
    given = {"type": wish.type, "queue": wish.queue, "owner": wish.owner}
    return wanted & Q(**{name: value for name, value in given.items() if value})
