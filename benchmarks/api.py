"""What a request costs, against a bare view of REST framework in the same web process.

    .venv/bin/python -m benchmarks.api [--requests 200] [--blocks 9] [--clients 8]

Blocks of requests take turns: a bare INSERT, `POST /jobs`, a bare SELECT, `GET /jobs/{id}`. The CPU
time is the web process's own, by the kernel's count; each ratio is the median over the rounds of
the ratio within the round, so that a machine whose speed drifts still gives a fair one. What the
clients see shares the machine with them and with the database.
"""

from __future__ import annotations

import argparse
import http.client
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.stage import process, servers
from config.embedded.ports import free_port

_READY_SECONDS = 90.0
_WARM_UP = 60  # requests of each kind
_WITHOUT_END = "10000/s"
# Both ways of a platform that is not told otherwise, and of one that limits nobody.
_LIMITS = {
    "rate limits off": {"RATE_LIMIT_ENABLED": "0"},
    "rate limits on": {
        "RATE_LIMIT_ENABLED": "1",
        "RATE_LIMIT_CREATE": _WITHOUT_END,
        "RATE_LIMIT_OTHER": _WITHOUT_END,
    },
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One sort of request, and the yardstick that it is held against."""

    name: str
    method: str
    path: str
    status: int
    body: bytes | None = None


Pair = tuple[Kind, Kind]  # the yardstick, and what is held against it
Figures = dict[Kind, list[float]]  # of each round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="in a block")
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--backlog", type=int, default=1500, help="jobs that wait in front")
    options = parser.parse_args()
    with servers():
        token = _prepared(options.backlog)
        for name, settings in _LIMITS.items():
            with _web(settings) as (pid, port):
                client = Client(port, token)
                pairs = _pairs(client)
                kinds = list(dict.fromkeys(kind for pair in pairs for kind in pair))
                cpu = _cpu(client, pid, kinds, options)
                waits = _waits(client, kinds, options)
            print(f"{name}:\n{'':<32}{'bare':>10}{'Celeriac':>10}{'ratio':>8}")
            for pair in pairs:
                _report(f"{pair[1].name}, CPU ms", pair, cpu)
                _report(f"  p95 of {options.clients} clients, ms", pair, waits)


def _prepared(backlog: int) -> str:
    """The text of a token, once the tables are there and so many jobs wait."""
    os.environ.update(
        DJANGO_SETTINGS_MODULE="benchmarks.bare.settings", CELERIAC_APPS="benchmarks.bare"
    )
    import django

    django.setup()
    from django.core.management import call_command

    from accounts import tokens
    from accounts.models import Tenant
    from jobs.enqueue import JobRequest, enqueue_many

    call_command("migrate", verbosity=0, run_syncdb=True)
    tenant = Tenant.objects.get(slug="default")
    one = JobRequest(type_name="diagnostics.echo", payload={"n": 1})
    enqueue_many(tenant, [one] * backlog)
    return tokens.issue(name="benchmark", tenant=tenant, scopes=["jobs:read", "jobs:write"]).text


@contextmanager
def _web(settings: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """One web process, as `up` starts it; its pid and port."""
    os.environ.update(settings)
    port = free_port()
    arguments = ["-m", "uvicorn", "config.asgi:application", "--lifespan=off", "--no-access-log"]
    with process(*arguments, f"--port={port}", "--log-level=warning") as pid:
        _wait_until_ready(port)
        yield pid, port


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            line.request("GET", "/readyz")
            if line.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            line.close()
    sys.exit(f"the web process is not ready after {_READY_SECONDS} s")


class Client:
    """Sends requests over one connection that stays open."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._token = token
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def another(self) -> Client:
        return Client(self._port, self._token)

    def ask(self, kind: Kind) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        self._line.request(kind.method, kind.path, kind.body, headers)
        answer = self._line.getresponse()
        text = answer.read()
        if answer.status != kind.status:
            sys.exit(f"{kind.name}: {answer.status} {text[:500]!r}")
        return json.loads(text)


def _pairs(client: Client) -> list[Pair]:
    """A job that waits is shown with its place in the queue, which has to be counted; one that has
    ended is not."""
    body = json.dumps({"type": "diagnostics.echo", "payload": {"n": 1}}).encode()
    row = Kind(name="a bare INSERT", method="POST", path="/api/v1/bare", status=201, body=body)
    job = Kind(name="POST /jobs", method="POST", path="/api/v1/jobs", status=201, body=body)
    bare = f"/api/v1/bare/{client.ask(row)['id']}"
    waiting, ended = (f"/api/v1/jobs/{client.ask(job)['id']}" for _ in range(2))
    client.ask(Kind(name="its end", method="POST", path=f"{ended}/cancel", status=200))
    select = Kind(name="a bare SELECT", method="GET", path=bare, status=200)
    return [
        (row, job),
        (select, Kind(name="GET /jobs/{id}, waiting", method="GET", path=waiting, status=200)),
        (select, Kind(name="GET /jobs/{id}, ended", method="GET", path=ended, status=200)),
    ]


def _cpu(client: Client, pid: int, kinds: Sequence[Kind], options: argparse.Namespace) -> Figures:
    """Milliseconds a request; one client, and each round begins with another kind."""
    spent: Figures = {kind: [] for kind in kinds}
    for kind in kinds:
        _ask_often(client, kind, _WARM_UP)
    for number in range(options.blocks):
        turn = number % len(kinds)
        for kind in (*kinds[turn:], *kinds[:turn]):
            before = _cpu_seconds(pid)
            _ask_often(client, kind, options.requests)
            spent[kind].append((_cpu_seconds(pid) - before) / options.requests * 1000)
    return spent


def _cpu_seconds(pid: int) -> float:
    """Of all threads, which stay, in nanoseconds rather than in ticks."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _waits(client: Client, kinds: Sequence[Kind], options: argparse.Namespace) -> Figures:
    """The 95th percentile of what clients who ask at the same time wait, in milliseconds."""
    waits: Figures = {kind: [] for kind in kinds}
    clients = [client.another() for _ in range(options.clients)]
    each = max(1, options.requests // options.clients)
    with ThreadPoolExecutor(options.clients) as threads:
        for _ in range(options.blocks):
            for kind in kinds:
                seen = threads.map(partial(_ask_often, kind=kind, times=each), clients)
                waits[kind].append(_p95([wait for one in seen for wait in one]))
    return waits


def _ask_often(client: Client, kind: Kind, times: int) -> list[float]:
    """What each took, in milliseconds."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        client.ask(kind)
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _report(name: str, pair: Pair, figures: Figures) -> None:
    bare, ours = (figures[kind] for kind in pair)
    ratio = statistics.median(b / a for a, b in zip(bare, ours, strict=True))
    print(
        f"{name:<32}{statistics.median(bare):>10.2f}{statistics.median(ours):>10.2f}{ratio:>8.2f}"
    )


if __name__ == "__main__":
    main()
