"""What the events for Flower cost: a backlog drained without and with them, taking turns.

    .venv/bin/python -m benchmarks.events [--jobs 1500] [--pairs 5] [--children 2]

"With" is a worker with `--task-events` and a Flower that consumes them on the same machine. Each
pair begins with the other one of the two, so that a machine whose speed drifts gives a fair ratio.
On a busy machine trust the CPU time of worker and Flower for a job more than the rates.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import psutil
import requests

from benchmarks.stage import celery_worker, process, servers
from benchmarks.throughput import drained
from config.embedded.ports import free_port

_LOGIN = ("benchmark", "a password that is long")
_WARM_UP = 50  # jobs
_ENDED = re.compile(r'flower_events_total{.*type="task-succeeded"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1500)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--children", type=int, default=2)
    options = parser.parse_args()
    with servers():
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        pairs = [_pair(options.jobs, options.children, one) for one in range(options.pairs)]
    rate = statistics.median(with_.rate / without.rate for without, with_ in pairs)
    cpu = statistics.median(with_.worker_ms / without.worker_ms for without, with_ in pairs)
    flower = statistics.median(with_.flower_ms for _, with_ in pairs)
    print(f"median of {len(pairs)} pairs, with / without: jobs a second {rate:.2f}, "
          f"the worker's CPU for a job {cpu:.2f}; Flower's own {flower:.2f} ms a job")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Drained:
    """Jobs a second, and CPU time for a job, of the worker with its children and of Flower."""

    rate: float
    worker_ms: float
    flower_ms: float


def _pair(jobs: int, children: int, number: int) -> tuple[_Drained, _Drained]:
    order = (False, True) if number % 2 == 0 else (True, False)
    both = {events: _drain(jobs, children, events=events) for events in order}
    for events, one in both.items():
        print(f"{'with' if events else 'without':>8}: {one}", flush=True)
    return both[False], both[True]


def _drain(jobs: int, children: int, *, events: bool) -> _Drained:
    from accounts.models import Tenant
    from jobs.enqueue import JobRequest, enqueue_many
    from jobs.models import Job

    Job.objects.all().delete()
    tenant = Tenant.objects.get(slug="default")
    request = JobRequest(type_name="diagnostics.echo", payload={})
    completed = Job.objects.filter(status="completed").count
    worker = (*celery_worker("config", children), *(["--task-events"] if events else []))
    with (
        _flower() if events else nullcontext() as flower,
        process("manage.py", "dispatch"),
        process(*worker) as pid,
    ):
        enqueue_many(tenant, [request] * _WARM_UP)
        drained(completed, _WARM_UP)  # so that no start is measured
        before = [_cpu_ms(pid), _cpu_ms(flower.pid) if flower else 0.0]
        enqueue_many(tenant, [request] * jobs)
        rate = drained(lambda: completed() - _WARM_UP, jobs)
        after = [_cpu_ms(pid), _cpu_ms(flower.pid) if flower else 0.0]
        if flower:
            print(f"Flower saw {_seen(flower.url)} of {jobs + _WARM_UP} messages end")
    worker_ms, flower_ms = ((end - start) / jobs for start, end in zip(before, after, strict=True))
    return _Drained(rate=rate, worker_ms=worker_ms, flower_ms=flower_ms)


def _cpu_ms(pid: int) -> float:
    """Of a process and its children, since each began."""
    root = psutil.Process(pid)
    times = [one.cpu_times() for one in [root, *root.children(recursive=True)]]
    return 1000 * sum(one.user + one.system for one in times)


class _Flower(NamedTuple):
    url: str
    pid: int


@contextmanager
def _flower() -> Iterator[_Flower]:
    """Once it answers, so that its start is not measured."""
    url = f"http://127.0.0.1:{free_port()}"
    os.environ["FLOWER_BASIC_AUTH"] = ":".join(_LOGIN)
    with process("manage.py", "flower", f"--port={url.rpartition(':')[2]}") as pid:
        while not _answers(url):
            time.sleep(0.1)
        yield _Flower(url, pid)


def _answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/healthcheck", timeout=5).ok
    except requests.RequestException:
        return False


def _seen(flower: str) -> int:
    """By its own count, so that nobody measures a Flower that had not started."""
    text = requests.get(f"{flower}/metrics", auth=_LOGIN, timeout=30).text
    lines = [line for line in text.splitlines() if _ENDED.match(line)]
    return round(sum(float(line.rpartition(" ")[2]) for line in lines))


if __name__ == "__main__":
    main()
