"""As much of Celeriac's API as its browser client asks of it, with the faults that a test wants."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import uvicorn

from accounts.ids import new_id
from config.bootstrap import ROOT
from config.embedded.ports import free_port
from tests.support.waiting import wait_for

STATIC = ROOT / "config" / "static"
_TYPES = {"js": "text/javascript", "css": "text/css"}
_BREATH = 0.01  # seconds between two looks for what is new
_HEAD = b"<!doctype html><meta charset=utf-8><title>Page</title>"
_PAGES = {
    "/": _HEAD + b"<body></body>",
    "/elements": _HEAD
    + b"<script type=module src=/static/celeriac/elements.js></script><body></body>",
}


@dataclass(kw_only=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Fake:
    """`refusals` are answers to the next requests that write, before any is served."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    opened: list[dict[str, str]] = field(default_factory=list)  # the queries of WebSockets
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    takes_sockets: bool = True
    closes: list[int] = field(default_factory=list)  # the next WebSockets, as soon as they are open
    errors: list[int] = field(default_factory=list)  # answers to the next subscriptions
    ends: list[str] = field(default_factory=list)  # jobs whose streams say that they are at an end
    takes_streams: bool = True
    forgets: bool = False  # every place in the stream: what follows it begins with a gap
    repeats: bool = False  # each event is sent twice
    mute: bool = False  # connections stay open and carry nothing
    answers: bool = True  # whether the API does; the pages always do
    generation: int = 0  # connections of an older one are cut
    code: int = 1012  # with which WebSockets are cut
    hearing: int = 0  # connections that are open
    counts: dict[str, int] = field(default_factory=dict)
    queues: list[dict[str, Any]] = field(default_factory=list)
    policy: str = ""  # the Content-Security-Policy of the pages

    def __post_init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    # --- what a test does ------------------------------------------------------------------

    def job(self, status: str = "queued", **fields: Any) -> dict[str, Any]:
        job = {
            "id": str(new_id()), "type": "notes.text", "status": status, "queue": "default",
            "progress": 0, "progress_message": None, "error": None, "retry_count": 0,
            "position": None, "cancel_requested_at": None, "created_at": _moment(len(self.log)),
            "updated_at": _moment(len(self.log)), "labels": {}, **fields,
        }  # fmt: skip
        self.jobs[job["id"]] = job
        return job

    def happen(self, job: dict[str, Any], event: str, **change: Any) -> None:
        """A change of a job that is told to whoever listens."""
        self.change(job, **change)
        self._tell(job, event, len(self.log) + 1)

    def move(self, job: dict[str, Any], position: int) -> None:
        """Another place in the queue, which stands in no stream: told with the newest id of it."""
        job["position"] = position
        ids = [int(one["id"].rpartition("-")[2]) for one in self.log]
        self._tell(job, "job.position", max(ids, default=0))

    def end(self, job: dict[str, Any]) -> None:
        """Nothing but the stream's end is told."""
        self.ends.append(job["id"])

    def _tell(self, job: dict[str, Any], event: str, count: int) -> None:
        told = {"event": event, "timestamp": job["updated_at"], "data": {**job}}
        self.log.append({**told, "id": f"1700000000000-{count}"})

    def change(self, job: dict[str, Any], **change: Any) -> None:
        """The same, and nobody is told."""
        job.update(change, updated_at=_moment(len(self.log) + 1))

    def queue(self, name: str, depth: int = 0) -> None:
        self.queues.append({"name": name, "depth": {"normal": depth}, "paused": False})

    def wait_for_silence(self) -> None:
        wait_for(lambda: self.hearing == 0, seconds=30, what="no connection is open")

    def cut(self, code: int = 1012) -> None:
        """Every connection that is open now."""
        self.code = code
        self.generation += 1

    def count(self, method: str, path: str) -> int:
        return sum(one.method == method and one.path == path for one in list(self.asked))

    @contextmanager
    def at_work(self) -> Iterator[Fake]:
        config = uvicorn.Config(
            self, host="127.0.0.1", port=self.port, log_level="critical", lifespan="off",
            ws="websockets-sansio", timeout_graceful_shutdown=1,
        )  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        wait_for(lambda: server.started, seconds=30, what="the fake answers")
        try:
            yield self
        finally:
            self.cut()
            server.should_exit = True
            thread.join(timeout=30)

    # --- the server ------------------------------------------------------------------------

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        query = {key: value[-1] for key, value in parse_qs(scope["query_string"].decode()).items()}
        if scope["type"] == "websocket":
            await self._socket(query, receive, send)
        else:
            await self._request(scope, query, receive, send)

    async def _request(self, scope: Any, query: dict[str, str], receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        headers = {key.decode(): value.decode() for key, value in scope["headers"]}
        content = json.loads(body) if body else None
        asked = Asked(
            method=scope["method"], path=scope["path"], query=query, headers=headers, body=content
        )
        self.asked.append(asked)
        if asked.path == "/api/v1/events" and self.takes_streams:
            await self._stream(asked, send)
            return
        status, kind, more, content = self._answer(asked)
        names = [(b"content-type", kind.encode())]
        names += [(key.encode(), value.encode()) for key, value in more.items()]
        await send({"type": "http.response.start", "status": status, "headers": names})
        await send({"type": "http.response.body", "body": content})

    def _answer(self, asked: Asked) -> tuple[int, str, dict[str, str], bytes]:
        if asked.path.startswith("/static/"):
            file = STATIC / asked.path.removeprefix("/static/")
            return 200, _TYPES[file.suffix[1:]], {}, file.read_bytes()
        if asked.path in _PAGES:
            policy = {"content-security-policy": self.policy} if self.policy else {}
            return 200, "text/html", policy, _PAGES[asked.path]
        if not self.answers:
            return _json(503, {"status": 503, "title": "Away", "detail": "The server is away."})
        if asked.method == "POST" and self.refusals:
            status, more = self.refusals.pop(0)
            return _json(status, {"status": status, "title": "Refused", "detail": "Not now."}, more)
        return self._api(asked)

    def _api(self, asked: Asked) -> tuple[int, str, dict[str, str], bytes]:
        parts = asked.path.removeprefix("/api/v1/").split("/")
        if parts == ["events", "ticket"]:
            return _json(201, {"ticket": f"ticket-{len(self.asked)}", "expires_at": _moment(0)})
        if asked.method == "POST" and parts == ["jobs"]:
            return _json(201, self.job(type=asked.body["type"], payload=asked.body["payload"]))
        if parts == ["jobs"]:
            return _json(200, {"items": list(self.jobs.values())[::-1], "next_cursor": None})
        if parts == ["stats"]:
            return _json(200, self._stats())
        if parts == ["queues"]:
            return _json(200, {"items": self.queues, "next_cursor": None})
        if parts[0] == "jobs" and parts[1] in self.jobs:
            if asked.method == "POST":
                self._act(self.jobs[parts[1]], parts[2])
            return _json(200, {"payload": {}, "result": {"kept": True}, **self.jobs[parts[1]]})
        detail = {"status": 404, "title": "Not Found", "detail": "Not found."}
        return _json(404, detail)

    def _stats(self) -> dict[str, Any]:
        return {
            "counts": {"status": self.counts}, "wait": {"p50": 0.5},
            "throughput": {"minute": 1, "hour": 20, "day": 300},
            "failure_rate": {"minute": None, "hour": 0.05, "day": 0.1},
        }  # fmt: skip

    def _act(self, job: dict[str, Any], verb: str) -> None:
        if verb == "cancel":
            self.change(job, cancel_requested_at=_moment(0))
        else:
            self.change(job, status="queued", error=None)

    async def _stream(self, asked: Asked, send: Any) -> None:
        headers = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        hearer = _Hearer(self, self.generation)
        hearer.begin(asked.query, asked.headers.get("last-event-id"))
        while hearer.is_current:
            for event in hearer.new():
                lines = f"id: {event['id']}\nevent: {event['event']}\ndata: {json.dumps(event)}\n\n"
                await send(
                    {"type": "http.response.body", "body": lines.encode(), "more_body": True}
                )
            await asyncio.sleep(_BREATH)
        await send({"type": "http.response.body", "body": b""})

    async def _socket(self, query: dict[str, str], receive: Any, send: Any) -> None:
        await receive()
        self.opened.append(query)
        if not self.takes_sockets:
            await send({"type": "websocket.close", "code": 1008})
            return
        await send({"type": "websocket.accept"})
        if self.closes:
            await send({"type": "websocket.close", "code": self.closes.pop(0)})
            return
        hearer = _Hearer(self, self.generation)
        listening = asyncio.create_task(self._listen(hearer, receive))
        hearer.begin(query, query.get("after"))
        self.hearing += 1
        while hearer.is_current and not listening.done():
            for event in hearer.new():
                await send({"type": "websocket.send", "text": json.dumps(event)})
            await asyncio.sleep(_BREATH)
        self.hearing -= 1
        if not listening.done():
            listening.cancel()
            await send({"type": "websocket.close", "code": self.code})

    async def _listen(self, hearer: _Hearer, receive: Any) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            said = json.loads(message["text"])
            self.subscriptions.append(said)
            if "unsubscribe" in said:
                hearer.unsubscribe(said["unsubscribe"]["job_id"])
            elif self.errors:
                hearer.refuse(self.errors.pop(0), said["subscribe"]["job_id"])
            else:
                hearer.subscribe(said["subscribe"]["job_id"], said.get("after"))


class _Hearer:
    """What one connection has still to be told."""

    def __init__(self, fake: Fake, generation: int) -> None:
        self._fake = fake
        self._generation = generation
        self._jobs: set[str] = set()
        self._all = False
        self._waiting: list[dict[str, Any]] = []
        self._read = len(fake.log)

    @property
    def is_current(self) -> bool:
        return self._generation == self._fake.generation

    def begin(self, query: dict[str, str], after: str | None) -> None:
        """With the filter of the address: one job, or all."""
        if "job_id" in query:
            self.subscribe(query["job_id"], after)
        elif query.get("only") != "named":
            self._all = True
            self._waiting += self._missed(after) if after else []

    def subscribe(self, job_id: str, after: str | None) -> None:
        """Names a job; a connection for all of them becomes one for those that are named."""
        if self._all:
            self._all, self._jobs = False, set()
        self._jobs.add(job_id)
        job = self._fake.jobs.get(job_id)
        if job is None:
            return
        if after and not self._fake.forgets:
            missed = self._missed(after)
            self._waiting += [one for one in missed if one["data"]["id"] == job_id]
        else:
            gap = {"gap": True} if after else {}
            place = f"1700000000000-{self._read}"
            self._waiting.append(
                {
                    "event": "job.snapshot",
                    "timestamp": _moment(0),
                    "id": place,
                    "data": {**job},
                    **gap,
                }
            )

    def _missed(self, after: str) -> list[dict[str, Any]]:
        return self._fake.log[int(after.rpartition("-")[2]) : self._read]

    def unsubscribe(self, job_id: str) -> None:
        self._jobs.discard(job_id)

    def refuse(self, status: int, job_id: str) -> None:
        data = {"status": status, "detail": "Not this one.", "job_id": job_id}
        self._say("error", None, data)

    def _say(self, event: str, place: str | None, data: dict[str, Any]) -> None:
        told = {"event": event, "timestamp": _moment(0), "id": place, "data": data}
        self._waiting.append(told)

    def _end_streams(self) -> None:
        for job_id in self._jobs.intersection(self._fake.ends):
            self._jobs.discard(job_id)
            self._say("stream.end", f"1700000000000-{self._read}", {"job_id": job_id})

    def new(self) -> list[dict[str, Any]]:
        if self._fake.mute:
            return []
        fresh = self._fake.log[self._read :]
        self._read += len(fresh)
        self._end_streams()
        told = self._waiting + [
            one for one in fresh if self._all or one["data"]["id"] in self._jobs
        ]
        self._waiting = []
        return [one for one in told for _ in range(2 if self._fake.repeats else 1)]


def _json(
    status: int, content: Any, more: dict[str, str] | None = None
) -> tuple[int, str, dict[str, str], bytes]:
    kind = "application/json" if status < 400 else "application/problem+json"
    return status, kind, more or {}, json.dumps(content).encode()


def _moment(count: int) -> str:
    return f"2026-01-01T00:{count // 60:02}:{count % 60:02}.000000Z"
