"""How fast events reach endpoints, beside one that is dead too.

    .venv/bin/python -m benchmarks.webhooks [--dead-events 1000] [--healthy 100] [--json]
    .venv/bin/python -m benchmarks.webhooks --rate [--per-minute 3000] [--endpoints 10]

The first: one endpoint that never answers has so many events waiting, while each of the healthy
ones is told of one event after the other; it prints how long after its event each request arrived.
The second: so many events a minute for a minute, to ten endpoints in turn; it prints how many
arrived and how late the last was. Requests are timed by the receiver, on this machine's clock.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.stage import celery_worker, process, servers

_PATIENCE_SECONDS = 300.0
_SLOTS = "16"
_EVENT = "schedule.missed"  # any that is no change of a job: only the delivery is measured


@dataclass(frozen=True, kw_only=True)
class Figures:
    sent: int
    arrived: int
    doubled: int
    p50_seconds: float
    p95_seconds: float
    most_seconds: float
    seconds: float
    dead_requests: int


class Receiver:
    """Answers 200 at once, or never, and notes when each event arrived first."""

    def __init__(self, *, dead: bool = False) -> None:
        self.arrived: dict[str, float] = {}
        self.requests = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._note(body)
                if dead:
                    receiver._over.wait()
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _note(self, body: bytes) -> None:
        name = json.loads(body)["data"]["name"]
        with self._lock:
            self.requests += 1
            self.arrived.setdefault(name, time.time())

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dead-events", type=int, default=1000)
    parser.add_argument("--healthy", type=int, default=100, help="endpoints beside the dead one")
    parser.add_argument("--rounds", type=int, default=5, help="events for each healthy endpoint")
    parser.add_argument("--rate", action="store_true", help="the second measurement")
    parser.add_argument("--per-minute", type=int, default=3000)
    parser.add_argument("--endpoints", type=int, default=10)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with servers(), receivers() as (healthy, dead):
        os.environ["EGRESS_ALLOW"] = f"{healthy.address},{dead.address}"
        os.environ["WEBHOOK_ENDPOINTS_PER_TENANT"] = "0"
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        figures = at_rate(options, healthy) if options.rate else beside(options, healthy, dead)
    report(figures, as_json=options.json)


@contextmanager
def receivers() -> Iterator[tuple[Receiver, Receiver]]:
    healthy, dead = Receiver(), Receiver(dead=True)
    try:
        yield healthy, dead
    finally:
        healthy.close()
        dead.close()


@contextmanager
def running() -> Iterator[None]:
    """A dispatcher, and the webhook worker."""
    worker = celery_worker("config", int(_SLOTS))
    with process("manage.py", "dispatch"), process(*worker, "-Q", "webhooks", "--pool=threads"):
        yield


def beside(options: argparse.Namespace, healthy: Receiver, dead: Receiver) -> Figures:
    """The dead endpoint's events wait first; then the healthy ones are told, round by round."""
    lame = endpoints("lame", dead, 1)
    fit = endpoints("fit", healthy, options.healthy)
    sent: dict[str, float] = {}
    with running():
        for number in range(options.dead_events):
            tell(lame[0], f"dead-{number}")
        wait_until(lambda: dead.requests > 0)
        began = time.time()
        for turn in range(options.rounds):
            for index, one in enumerate(fit):
                name = f"{turn}-{index}"
                sent[name] = time.time()
                tell(one, name)
            wait_until(lambda: len(healthy.arrived) == len(sent))
        ended = time.time()
    return figures_of(sent, healthy, dead, ended - began)


def at_rate(options: argparse.Namespace, healthy: Receiver) -> Figures:
    """One event after the other, each at its time, for a minute."""
    some = endpoints("fit", healthy, options.endpoints)
    sent: dict[str, float] = {}
    with running():
        tell(some[0], "first")
        wait_until(lambda: "first" in healthy.arrived)
        began = time.time()
        for number in range(options.per_minute):
            time.sleep(max(0.0, began + number * 60 / options.per_minute - time.time()))
            name = str(number)
            sent[name] = time.time()
            tell(some[number % len(some)], name)
        wait_until(lambda: len(healthy.arrived) == len(sent) + 1)
        ended = time.time()
    return figures_of(sent, healthy, None, ended - began)


def endpoints(slug: str, receiver: Receiver, number: int) -> Sequence[Any]:
    """Endpoints of one tenant at one receiver, each with a listener of its own."""
    from accounts.models import Tenant
    from jobs.operations import Actor
    from webhooks import verbs
    from webhooks.definition import Definition

    tenant, _ = Tenant.objects.get_or_create(slug=slug)
    by = Actor(name="command:benchmark")
    return [
        verbs.create(tenant, Definition(url=f"http://{receiver.address}/{n}"), by).endpoint
        for n in range(number)
    ]


def tell(endpoint: Any, name: str) -> None:
    """One event, for this endpoint alone."""
    from django.db import transaction
    from django.utils import timezone

    from webhooks import bodies, handing_in
    from webhooks.listening import listener_of
    from webhooks.models import Event

    with transaction.atomic():
        body = bodies.body(_EVENT, timezone.now(), {"name": name})
        event = Event(tenant_id=endpoint.tenant_id, name=_EVENT, body=body)
        due = handing_in.Due(event=event, listener=listener_of(endpoint))
        handing_in.hand_in(endpoint.tenant_id, [due])


def wait_until(happened: Any) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit(f"nothing more arrived for {_PATIENCE_SECONDS:.0f} s")
        time.sleep(0.01)


def figures_of(
    sent: dict[str, float], healthy: Receiver, dead: Receiver | None, seconds: float
) -> Figures:
    took = sorted(healthy.arrived[name] - at for name, at in sent.items())
    return Figures(
        sent=len(sent),
        arrived=len(took),
        doubled=healthy.requests - len(healthy.arrived),
        p50_seconds=statistics.median(took),
        p95_seconds=took[int(len(took) * 0.95)],
        most_seconds=took[-1],
        seconds=seconds,
        dead_requests=dead.requests if dead else 0,
    )


def report(figures: Figures, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(figures)))
        return
    for name, value in asdict(figures).items():
        print(
            f"{name:<16}{value:>12,.3f}" if isinstance(value, float) else f"{name:<16}{value:>12,}"
        )


if __name__ == "__main__":
    main()
