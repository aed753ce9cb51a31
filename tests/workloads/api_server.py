"""A server that speaks enough of the REST API for the demonstration, with jobs that end at once.

Each look at a job shows the next state of its life, so a test needs no worker and no waiting.
"""

import base64
import json
import threading
import uuid
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from jobs import registry
from tests.workloads.recording import context

Job = dict[str, Any]
LEVELS = {"urgent": 95, "high": 75, "normal": 50, "low": 10}


class ApiServer:
    """`refusals` are answers (status, headers, body) to be given before anything else."""

    def __init__(self, *, failing_type: str | None = None) -> None:
        self.refusals: list[tuple[int, dict[str, str], bytes]] = []
        self.tokens: set[str | None] = set()
        self.bodies: list[dict[str, Any]] = []
        self._failing_type = failing_type
        self._lives: dict[str, Iterator[Job]] = {}
        self._files: dict[str, dict[str, str]] = {}
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                kind = self.headers.get("Content-Type", "")
                is_form = kind.startswith("multipart/")
                owner._answer(self, _file(kind, content) if is_form else json.loads(content))

            def do_GET(self) -> None:
                owner._answer(self, None)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ApiServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _answer(
        self, handler: BaseHTTPRequestHandler, body: dict[str, Any] | MIMEPart | None
    ) -> None:
        self.tokens.add(handler.headers.get("Authorization"))
        status, headers, content = self._refusal_or(handler.path, body)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def _keep(self, file: MIMEPart) -> str:
        file_id = str(uuid.uuid4())
        content = file.get_payload(decode=True)
        assert isinstance(content, bytes)
        self._files[file_id] = inline(str(file.get_filename()), content)
        return file_id

    def _with_content(self, body: dict[str, Any]) -> dict[str, Any]:
        """With the file that it names in the payload itself: there is no storage here."""
        named = body["payload"].get("file")
        if not named:
            return body
        return {**body, "payload": {**body["payload"], "file": self._files[named["file_id"]]}}

    def _refusal_or(
        self, path: str, body: dict[str, Any] | MIMEPart | None
    ) -> tuple[int, dict[str, str], bytes]:
        if self.refusals:
            return self.refusals.pop(0)
        if isinstance(body, MIMEPart):
            return 201, {}, json.dumps({"id": self._keep(body)}).encode()
        if body is None:
            job = next(self._lives[path.rsplit("/", 1)[1]])
            return 200, {"X-RateLimit-Remaining": "99"}, json.dumps(job).encode()
        self.bodies.append(body)
        body = self._with_content(body)
        job_id = str(uuid.uuid4())
        self._lives[job_id] = life(job_id, body, fails=body["type"] == self._failing_type)
        return 201, {}, json.dumps(next(self._lives[job_id])).encode()


def inline(name: str, content: bytes) -> dict[str, str]:
    """A file as it stands in a payload."""
    return {"name": name, "content_base64": base64.b64encode(content).decode()}


def _file(content_type: str, content: bytes) -> MIMEPart:
    """The one part of a form that carries a file."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    form = message_from_bytes(head + content, policy=policy.HTTP)
    assert isinstance(form, EmailMessage)
    (part,) = form.iter_parts()
    assert part.get_param("name", header="content-disposition") == "file"
    return part


def life(job_id: str, body: dict[str, Any], *, fails: bool = False) -> Iterator[Job]:
    """The states of a job that runs the real job function; the last is repeated."""
    job: Job = {
        "id": job_id,
        "type": body["type"],
        "status": "queued",
        "level": body["priority"],
        "priority": LEVELS[body["priority"]],
        "progress": 0,
        "progress_message": "",
        "result": None,
        "error": None,
        "attempt": 0,
        "retry_count": 0,
        "max_retries": 3,
        "next_retry_at": None,
        "created_at": "2026-01-01T00:00:00.000000Z",
        "started_at": None,
        "completed_at": None,
        "actual_duration_seconds": None,
    }
    yield dict(job)
    yield dict(job)
    job |= {"status": "processing", "started_at": "2026-01-01T00:00:00.250000Z", "attempt": 1}
    for percent in (5, 45, 80):
        yield job | {"progress": percent, "progress_message": "outlining"}
    if body["type"] == "diagnostics.fail":
        retry = {"next_retry_at": "2026-01-01T00:00:02.000000Z", "retry_count": 1, "attempt": 2}
        yield job | retry | {"status": "scheduled"}
        job |= {"retry_count": 1, "attempt": 2}
    end = {"completed_at": "2026-01-01T00:00:01.500000Z", "actual_duration_seconds": 1.25}
    while True:
        yield job | end | (_failure() if fails else _success(body))


def _failure() -> Job:
    return {"status": "failed", "error": {"type": "Unavailable", "message": "Out of order."}}


def _success(body: dict[str, Any]) -> Job:
    payload = dict(body["payload"])
    if body["type"] == "diagnostics.sleep":
        payload["seconds"] = 0
    result = json.loads(_result(body["type"], json.dumps(payload, sort_keys=True)))
    return {"status": "completed", "progress": 100, "result": result}


@cache
def _result(name: str, payload: str) -> str:
    """Of the real job function, which need not open the same document for every demonstration."""
    kind = registry.get(name)
    arguments = kind.arguments(kind.validated(json.loads(payload)))
    return json.dumps(kind(context(attempt=2), **arguments))
