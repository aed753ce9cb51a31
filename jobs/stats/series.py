"""Points of a chart, from the roll-ups and samples of whole minutes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection

from jobs.models.rollup import EVERY_TENANT
from jobs.stats.ended import NUMBERS, Ended
from jobs.stats.histogram import quantile
from jobs.stats.whose import Whose

MOST_POINTS = 1500
SPANS = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
STEPS = {"1m": timedelta(minutes=1), "5m": timedelta(minutes=5), "1h": timedelta(hours=1)}
DEFAULT_STEPS = {"1h": "1m", "6h": "5m", "24h": "5m", "7d": "1h"}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What a point tells of the jobs that ended within its step."""

    unit: str
    of: Callable[[Ended], float | None]
    reads_waits: bool = False


def _wait(share: float) -> Metric:
    return Metric(unit="seconds", of=lambda ended: quantile(ended.waits, share), reads_waits=True)


_ENDED = {
    "throughput": Metric(unit="jobs", of=lambda ended: ended.finished),
    "completed": Metric(unit="jobs", of=lambda ended: ended.completed),
    "failures": Metric(unit="jobs", of=lambda ended: ended.failed),
    "cancelled": Metric(unit="jobs", of=lambda ended: ended.cancelled),
    "failure_rate": Metric(unit="ratio", of=lambda ended: ended.failure_rate),
    "retry_success_rate": Metric(unit="ratio", of=lambda ended: ended.retry_success_rate),
    "duration": Metric(unit="seconds", of=lambda ended: ended.average_seconds),
    "wait_p50": _wait(0.50),
    "wait_p95": _wait(0.95),
    "wait_p99": _wait(0.99),
}
_SAMPLED = {"depth": "waiting", "processing": "processing"}
METRICS: Sequence[str] = tuple(sorted([*_ENDED, *_SAMPLED]))


@dataclass(frozen=True, kw_only=True)
class Point:
    """`at` is where its step begins. None: unknown, or nothing to take a share of."""

    at: datetime
    value: float | None


@dataclass(frozen=True, kw_only=True)
class Series:
    metric: str
    unit: str
    step: timedelta
    points: Sequence[Point]


def series_of(
    whose: Whose, metric: str, *, span: timedelta, step: timedelta, now: datetime | None = None
) -> Series:
    """Steps begin at whole multiples; the last one is under way, and some seconds late. The
    figures are a tenant's or everybody's: those of an owner are not kept."""
    assert not whose.owner, "there are no roll-ups by owner"
    assert span // step <= MOST_POINTS
    moments = _moments(now or datetime.now(UTC), span, step)
    tenant = EVERY_TENANT if whose.tenant is None else whose.tenant
    read = partial(_sampled, metric) if metric in _SAMPLED else partial(_ended, _ENDED[metric])
    values = read(tenant, moments[0], step)
    unit = "jobs" if metric in _SAMPLED else _ENDED[metric].unit
    missing = None if metric in _SAMPLED else _ENDED[metric].of(Ended())
    points = [Point(at=at, value=values.get(at, missing)) for at in moments]
    return Series(metric=metric, unit=unit, step=step, points=points)


def _moments(now: datetime, span: timedelta, step: timedelta) -> list[datetime]:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    last = epoch + (now - epoch) // step * step
    number = span // step
    return [last - step * back for back in range(number - 1, -1, -1)]


_STEP = "to_timestamp(floor(extract(epoch FROM minute) / %(step)s) * %(step)s)"
_WHERE = "tenant_id = %(tenant)s AND queue = '' AND minute >= %(since)s"
_NUMBERS = f"""
    SELECT {_STEP} AS at, {", ".join(f"sum({name})" for name in NUMBERS)}
      FROM jobs_rollup WHERE {_WHERE} AND type = '' GROUP BY at
"""  # noqa: S608 (constants; values travel as parameters)
_WAITS = f"""
    SELECT at, array_agg(number ORDER BY place) FROM (
        SELECT {_STEP} AS at, place, sum(wait)::bigint AS number
          FROM jobs_rollup, unnest(waits) WITH ORDINALITY AS one(wait, place)
         WHERE {_WHERE} AND type = '' GROUP BY at, place) AS added
     GROUP BY at
"""  # noqa: S608 (as above)
# The sum over all tenants is there whenever somebody looked; a tenant that had nothing has no row.
_SAMPLES = f"""
    SELECT at, max(number) FROM (
        SELECT {_STEP} AS at, COALESCE((
               SELECT own.{{column}} FROM jobs_depthsample AS own
                WHERE own.tenant_id = %(wanted)s AND own.queue = '' AND own.level = ''
                  AND own.minute = looked.minute), 0) AS number
          FROM jobs_depthsample AS looked WHERE {_WHERE} AND level = '') AS sampled
     GROUP BY at
"""  # noqa: S608 (as above)

Values = Mapping[datetime, float | None]


def _ended(metric: Metric, tenant: int, since: datetime, step: timedelta) -> Values:
    if metric.reads_waits:
        rows = _rows(_WAITS, tenant, since, step)
        return {at: metric.of(Ended(waits=waits)) for at, waits in rows}
    return {
        at: metric.of(Ended(**_numbers(numbers)))
        for at, *numbers in _rows(_NUMBERS, tenant, since, step)
    }


def _numbers(row: Sequence[Any]) -> dict[str, Any]:
    return {
        name: float(number) if name == "run_seconds" else int(number)
        for name, number in zip(NUMBERS, row, strict=True)
    }


def _sampled(metric: str, tenant: int, since: datetime, step: timedelta) -> Values:
    statement = _SAMPLES.format(column=_SAMPLED[metric])
    return dict(_rows(statement, EVERY_TENANT, since, step, wanted=tenant))


def _rows(statement: str, tenant: int, since: datetime, step: timedelta, **more: Any) -> list[Any]:
    parameters = {"tenant": tenant, "since": since, "step": step.total_seconds(), **more}
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[Any] = cursor.fetchall()
    return rows
