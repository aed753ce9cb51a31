"""Processor time of a job from its hand-in to its outcome, part by part, and of two checkouts.

    .venv/bin/python -m benchmarks.cpu [--jobs 3000] [--rounds 3] [--against DIRECTORY]

Wall time on a small machine favours whichever of two comes first, by more than the few percent
that a change to the engine costs. What the processes used is steadier. `--against` is the root of
another checkout of Celeriac, run by the same Python; the ratio is theirs to ours, above 1 where
ours is the cheaper one.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

Cost = dict[str, float]  # part → milliseconds of processor time a job

_WARMING = 300  # jobs, so that every part has its connections and plans
_LIMIT_SECONDS = 300.0
_PARTS = ("hand-in", "dispatcher", "worker", "PostgreSQL", "Valkey", "all")
_SERVERS = {"postgres": "PostgreSQL", "valkey-server": "Valkey"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measured(options.jobs)))
        return
    ours = Path(__file__).resolve().parent.parent
    theirs = options.against.resolve() if options.against else None
    checkouts = [each for each in (ours, theirs) if each]
    costs: dict[Path, list[Cost]] = {each: [] for each in checkouts}
    for turn in range(options.rounds):
        for checkout in checkouts if turn % 2 == 0 else reversed(checkouts):
            costs[checkout].append(measured_in(checkout, options.jobs))
    report(costs[ours], costs[theirs] if theirs else None)


def measured_in(checkout: Path, jobs: int) -> Cost:
    """By this very file, on the code of that checkout."""
    run = subprocess.run(
        # -P: this directory has modules that are called as apps are.
        [sys.executable, "-P", __file__, "--here", "--jobs", str(jobs)],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "CELERIAC_NO_BOOTSTRAP": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    cost: Cost = json.loads(run.stdout.splitlines()[-1])
    return cost


def measured(jobs: int) -> Cost:
    """Processor time a job of each part, with the code of the working directory."""
    from benchmarks.stage import celery_worker, process, servers

    with servers():
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        with (
            process("manage.py", "dispatch") as dispatcher,
            process(*celery_worker("config", 2)) as worker,
        ):
            hand_in(_WARMING)
            wait_until_completed(_WARMING)
            parts = {"hand-in": os.getpid(), "dispatcher": dispatcher, "worker": worker}
            before = used(parts)
            with stopped(dispatcher):  # so that all of them wait, as after a burst
                hand_in(jobs)
                handed_in = used({"hand-in": os.getpid()})["hand-in"]
            wait_until_completed(_WARMING + jobs)
            after = {**used(parts), "hand-in": handed_in}
    cost = {part: (after[part] - before[part]) * 1000 / jobs for part in after}
    return {**cost, "all": sum(cost.values())}


def hand_in(jobs: int) -> None:
    from accounts.models import Tenant
    from jobs.enqueue import JobRequest, enqueue_many

    request = JobRequest(type_name="diagnostics.echo", payload={"n": 1})
    enqueue_many(Tenant.objects.get(slug="default"), [request] * jobs)


def wait_until_completed(jobs: int) -> None:
    """Looking seldom: the looks are part of what PostgreSQL does."""
    from jobs.models import Job

    deadline = time.monotonic() + _LIMIT_SECONDS
    while (done := Job.objects.filter(status="completed").count()) < jobs:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {done} of {jobs} done after {_LIMIT_SECONDS:.0f} s")
        time.sleep(0.5)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def used(parts: dict[str, int]) -> Cost:
    """Seconds of processor time so far: of these processes with all they started, and of the
    servers, whose keeper is a child of this process."""
    import psutil

    seconds = {
        part: tree_seconds(psutil.Process(pid)) for part, pid in parts.items() if pid != os.getpid()
    }
    if "hand-in" in parts:
        own = psutil.Process().cpu_times()
        seconds["hand-in"] = own.user + own.system
    for keeper in psutil.Process().children():
        for server in keeper.children():
            if part := _SERVERS.get(server.name()):
                seconds[part] = tree_seconds(server)
    return seconds


def tree_seconds(process: object) -> float:
    """Of the process, its children, and those that have ended and were waited for."""
    import psutil

    assert isinstance(process, psutil.Process)
    total = 0.0
    for each in [process, *process.children(recursive=True)]:
        try:
            times = each.cpu_times()
        except psutil.NoSuchProcess:  # it ended meanwhile, and its parent counts it now
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def report(ours: list[Cost], theirs: list[Cost] | None) -> None:
    print(
        f"{'ms of processor time a job':<28}{'ours':>8}"
        + (f"{'theirs':>8}{'ratio':>8}" if theirs else "")
    )
    for part in _PARTS:
        mine = statistics.median(cost[part] for cost in ours)
        line = f"{part:<28}{mine:>8.2f}"
        if theirs:
            other = statistics.median(cost[part] for cost in theirs)
            line += f"{other:>8.2f}" + (f"{other / mine:>8.3f}" if mine else f"{'-':>8}")
        print(line)


if __name__ == "__main__":
    main()
