"""What became of an endpoint's deliveries in the last day, hour by hour, as a drawing's numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from webhooks.by_time import lowest_id
from webhooks.models import Delivery
from webhooks.policies import DeliveryStatus
from webhooks.statistics import MOST_COUNTED

HOURS = 24
BAR, GAP, HEIGHT = 10, 2, 100
_HOUR = timedelta(hours=1)
_UPWARDS = (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.PENDING)


@dataclass(frozen=True, kw_only=True)
class Part:
    name: str
    y: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Bar:
    """An hour. `told` says it for whoever points at it."""

    x: int
    parts: Sequence[Part]
    told: str


@dataclass(frozen=True, kw_only=True)
class Chart:
    """In a drawing of `width` by HEIGHT; `top` is what its upper edge stands for."""

    bars: Sequence[Bar]
    top: int
    since: datetime
    until: datetime
    width: int = HOURS * BAR
    bar: int = BAR - GAP


def last_day(endpoint_id: UUID, now: datetime) -> Chart | None:
    """By its newest deliveries, as many as the figures beside it count; None without any."""
    since = now - HOURS * _HOUR
    rows = Delivery.objects.filter(
        endpoint=endpoint_id, pk__gte=lowest_id(since), created_at__gt=since
    )
    newest = rows.order_by("-pk").values_list("created_at", "status")[:MOST_COUNTED]
    hours = [Counter[str]() for _ in range(HOURS)]
    for at, status in newest:
        hours[min(max((at - since) // _HOUR, 0), HOURS - 1)][status] += 1
    top = max(hour.total() for hour in hours)
    if not top:
        return None
    bars = [_bar(number, hour, top, since) for number, hour in enumerate(hours)]
    return Chart(bars=bars, top=top, since=since.astimezone(UTC), until=now.astimezone(UTC))


def _bar(number: int, hour: Counter[str], top: int, since: datetime) -> Bar:
    parts, y = [], HEIGHT
    for status in _UPWARDS:
        if hour[status]:
            height = max(1, round(HEIGHT * hour[status] / top))
            y -= height
            parts.append(Part(name=status.value, y=y, height=height))
    at = (since + number * _HOUR).astimezone(UTC)
    told = " · ".join(f"{hour[one]} {one.value}" for one in _UPWARDS if hour[one])
    return Bar(x=number * BAR, parts=parts, told=f"{at:%H:%M} UTC and the hour after · {told}")
