"""What open streams cost a web process, and whether every event reaches every one of them.

    .venv/bin/python -m benchmarks.live [--streams 500] [--jobs 20] [--seconds 60] [--json]

So many streams watch one tenant while jobs of ten steps run, spread over the time. Every stream
must be told exactly what stands in the tenant's Redis stream. Beside it a plain GET is timed, with
and without the streams; memory is the web process's resident set.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import statistics
import time
from collections import Counter
from dataclasses import asdict, dataclass

import psutil

from benchmarks.stage import celery_worker, process, servers
from config.embedded.ports import free_port

TYPE, STEPS, JOB_SECONDS = "diagnostics.sleep", 10, 3.0
_READY_SECONDS = 90.0
_SETTLE_SECONDS = 3.0
_GETS = 200

Told = tuple[str, str]  # an event's id and name


@dataclass(frozen=True, kw_only=True)
class Figures:
    streams: int
    events: int  # that each stream had to be told
    complete: int  # streams that were told all of them, each once
    added_mib: float
    get_alone_ms: float
    get_beside_ms: float
    cpu_percent: float  # of the web process, while the jobs ran


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with servers():
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        port = free_port()
        web = ("-m", "uvicorn", "config.asgi:application", "--lifespan=off", "--no-access-log")
        with (
            process("manage.py", "dispatch"),
            process(*celery_worker("config", 2)),
            process(*web, f"--port={port}", "--log-level=warning") as pid,
        ):
            figures = asyncio.run(_measured(pid, port, options))
    print(json.dumps(asdict(figures)) if options.json else table(figures))


def table(figures: Figures) -> str:
    ratio = figures.get_beside_ms / figures.get_alone_ms
    return "\n".join(
        [
            f"{figures.complete} of {figures.streams} streams were told all "
            f"{figures.events} events",
            f"memory added: {figures.added_mib:.0f} MiB",
            f"a plain GET: {figures.get_alone_ms:.1f} ms alone, {figures.get_beside_ms:.1f} ms "
            f"beside them ({ratio:.2f} times)",
            f"CPU of the web process: {figures.cpu_percent:.0f} % of a core",
        ]
    )


async def _measured(pid: int, port: int, options: argparse.Namespace) -> Figures:
    token = await asyncio.to_thread(_prepared)
    await _until_ready(port)
    web = psutil.Process(pid)
    first = await asyncio.to_thread(_hand_in)
    alone = await asyncio.to_thread(_get_ms, port, token, first)
    await _until_all_ended()
    before = web.memory_info().rss
    readers = [Reader(port, token) for _ in range(options.streams)]
    for reader in readers:
        await reader.open()
    cpu, began = sum(web.cpu_times()[:2]), time.monotonic()
    beside = await _run_jobs(port, token, options)
    taken = time.monotonic() - began
    percent = 100 * (sum(web.cpu_times()[:2]) - cpu) / taken
    added = web.memory_info().rss - before
    wanted = await asyncio.to_thread(_wanted, min(reader.floor for reader in readers))
    complete = sum(reader.heard == wanted for reader in readers)
    for reader in readers:
        reader.close()
    return Figures(
        streams=options.streams, events=wanted.total(), complete=complete,
        added_mib=added / 2**20, get_alone_ms=alone, get_beside_ms=beside, cpu_percent=percent,
    )  # fmt: skip


class Reader:
    """One stream. What it is told after its snapshots is counted."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self.heard: Counter[Told] = Counter()
        self.floor = ""
        self._began = asyncio.Event()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(
            f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {self._token}\r\n\r\n".encode()
        )
        self._task = asyncio.ensure_future(self._read())
        async with asyncio.timeout(60):
            await self._began.wait()

    async def _read(self) -> None:
        """Lines of a chunked answer: those of the chunks' sizes are none of ours."""
        mark = ""
        while line := (await self._reader.readline()).decode().strip():
            if line.startswith("HTTP/1.1 ") and " 200 " not in line:
                raise RuntimeError(line)
        while data := await self._reader.readline():
            line = data.decode().strip()
            if line.startswith("id: "):
                mark = line[4:]
            elif line == "event: job.snapshot":
                self.floor = mark
                self._began.set()
            elif line.startswith("event: "):
                self.heard[mark, line[7:]] += 1

    def close(self) -> None:
        self._task.cancel()
        self._writer.close()


def _prepared() -> str:
    from accounts import tokens
    from accounts.models import Tenant

    tenant = Tenant.objects.get(slug="default")
    issued = tokens.issue(name="benchmark", tenant=tenant, scopes=["jobs:read", "jobs:write"])
    return issued.text


def _hand_in() -> str:
    from accounts.models import Tenant
    from jobs.enqueue import enqueue

    tenant = Tenant.objects.get(slug="default")
    payload = {"seconds": JOB_SECONDS, "steps": STEPS}
    return str(enqueue(tenant, TYPE, payload).job.pk)


async def _run_jobs(port: int, token: str, options: argparse.Namespace) -> float:
    """Hand the jobs in over the time, and wait for their end. Returns a GET's median meanwhile."""
    ids, medians = [], []
    for number in range(options.jobs):
        began = time.monotonic()
        ids.append(await asyncio.to_thread(_hand_in))
        if number in (options.jobs // 3, 2 * options.jobs // 3):
            medians.append(await asyncio.to_thread(_get_ms, port, token, ids[-1]))
        pause = options.seconds / options.jobs - (time.monotonic() - began)
        await asyncio.sleep(max(0.0, pause))
    await _until_all_ended()
    return statistics.median(medians)


async def _until_all_ended() -> None:
    while await asyncio.to_thread(_unfinished):
        await asyncio.sleep(0.2)
    await asyncio.sleep(_SETTLE_SECONDS)


def _unfinished() -> bool:
    from jobs.models import Job

    return Job.objects.active().exists()


def _get_ms(port: int, token: str, job: str) -> float:
    """Median of GET /jobs/{id}, one after the other over one connection."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    taken = []
    for _ in range(_GETS):
        began = time.perf_counter()
        line.request("GET", f"/api/v1/jobs/{job}", headers={"Authorization": f"Bearer {token}"})
        line.getresponse().read()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def _wanted(floor: str) -> Counter[Told]:
    """What stands in the tenant's stream after this mark."""
    import redis

    from accounts.models import Tenant
    from jobs.live.entries import FIELD, unpacked
    from jobs.live.marks import of_entry
    from jobs.live.telling import stream_of

    tenant = Tenant.objects.get(slug="default")
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        entries = client.xrange(stream_of(tenant.pk), min=f"({floor}")
    wanted: Counter[Told] = Counter()
    for entry_id, fields in entries:
        entry = unpacked(fields[FIELD.encode()])
        assert len(entry.jobs) == 1, "the benchmark hands jobs in one by one"
        wanted[str(of_entry(entry_id)), entry.event] += 1
    return wanted


async def _until_ready(port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/readyz")
            if line.getresponse().status == 200:
                return
        except OSError:
            pass
        await asyncio.sleep(0.2)
    raise TimeoutError("the web process does not answer")


if __name__ == "__main__":
    main()
