"""How fast jobs go in, run and settle, against plain Celery in the same run.

    .venv/bin/python -m benchmarks.throughput [--jobs 3000] [--pairs 3] [--children 2]

Celery and Celeriac take turns, so that a machine whose speed drifts still gives a fair ratio;
quote the median of the ratios. Celeriac's jobs are rows in a PostgreSQL with fsync and synchronous
commit; plain Celery's tasks leave no record at all.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING

from benchmarks.stage import celery_worker, process, servers

if TYPE_CHECKING:
    from jobs.models import Job


@dataclass(frozen=True, kw_only=True)
class Figures:
    enqueue_per_second: float
    bulk_per_second: float
    drain_per_second: float
    idle_latency_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--children", type=int, default=2)
    options = parser.parse_args()
    with servers():
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        pairs = list(measured_pairs(options.jobs, options.pairs, options.children))
    report(pairs)


def measured_pairs(jobs: int, pairs: int, children: int) -> Iterator[tuple[Figures, Figures]]:
    for _ in range(pairs):
        yield plain_celery(jobs, children), celeriac(jobs, children)


def plain_celery(jobs: int, children: int) -> Figures:
    from benchmarks import plain

    plain.start_over()
    enqueue = rate(jobs, lambda: [plain.count.delay() for _ in range(jobs)])
    with process(*celery_worker("benchmarks.plain", children)):
        drain = drained(plain.done, jobs)
        latency = [until(plain.done, seen, plain.count.delay) for seen in range(jobs, jobs + 50)]
    return Figures(
        enqueue_per_second=enqueue,
        bulk_per_second=enqueue,  # it has no other way
        drain_per_second=drain,
        idle_latency_ms=statistics.median(latency) * 1000,
    )


def celeriac(jobs: int, children: int) -> Figures:
    from accounts.models import Tenant
    from jobs import registry
    from jobs.enqueue import JobRequest, enqueue_many
    from jobs.models import Job

    echo, tenant = registry.get("diagnostics.echo"), Tenant.objects.get(slug="default")
    Job.objects.all().delete()
    singles = jobs // 5
    enqueue = rate(singles, lambda: [echo.enqueue(tenant=tenant, n=n) for n in range(singles)])
    requests = [
        JobRequest(type_name="diagnostics.echo", payload={"n": n}) for n in range(jobs - singles)
    ]
    bulk = rate(len(requests), lambda: enqueue_many(tenant, requests))
    completed = Job.objects.filter(status="completed").count
    with process("manage.py", "dispatch"), process(*celery_worker("config", children)):
        drain = drained(completed, jobs)
        latency = [_from_row_to_start(echo.enqueue(tenant=tenant)) for _ in range(50)]
    return Figures(
        enqueue_per_second=enqueue,
        bulk_per_second=bulk,
        drain_per_second=drain,
        idle_latency_ms=statistics.median(latency) * 1000,
    )


def _from_row_to_start(job: Job) -> float:
    """Seconds between the job's birth and its start, by the database's clock. (Asking often when
    it has started would keep a core busy that it needs.)"""
    while job.started_at is None:
        time.sleep(0.02)
        job.refresh_from_db()
    waited: timedelta = job.started_at - job.created_at
    return waited.total_seconds()


def rate(count: int, act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return count / (time.perf_counter() - started)


def drained(done: Callable[[], int], total: int, *, limit_seconds: float = 300) -> float:
    """Jobs a second from the first look that sees some done, to the last job."""
    deadline = time.perf_counter() + limit_seconds
    first: tuple[float, int] | None = None
    while time.perf_counter() < deadline:
        count, now = done(), time.perf_counter()
        if first is None and count:
            first = (now, count)
        if count >= total:
            break
        time.sleep(0.02)
    else:
        raise SystemExit(f"only {done()} of {total} done after {limit_seconds} s")
    assert first is not None
    return (total - first[1]) / max(now - first[0], 1e-9)


def until(done: Callable[[], int], seen: int, act: Callable[[], object]) -> float:
    """Seconds from the start of `act` until more than `seen` are done."""
    started = time.perf_counter()
    act()
    while done() <= seen:
        time.sleep(0.0005)
    return time.perf_counter() - started


def report(pairs: list[tuple[Figures, Figures]]) -> None:
    print(
        f"{'median of ' + str(len(pairs)) + ' pairs':<22}{'Celery':>12}{'Celeriac':>12}{'ratio':>8}"
    )
    for field in fields(Figures):
        yardstick, ours = ([getattr(pair[side], field.name) for pair in pairs] for side in (0, 1))
        ratio = statistics.median(b / a for a, b in zip(yardstick, ours, strict=True))
        print(
            f"{field.name:<22}{statistics.median(yardstick):>12,.1f}"
            f"{statistics.median(ours):>12,.1f}{ratio:>8.2f}"
        )


if __name__ == "__main__":
    main()
