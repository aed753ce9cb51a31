"""Requests that no honest client sends, against a real web process."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts import tokens
from accounts.models import Tenant
from jobs.models import Job
from tests.support.web import Web, serving

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1024 * 1024
BODY = json.dumps({"type": "diagnostics.echo", "payload": {"n": 1}}).encode()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with serving(tmp_path, "web") as (one,):
        yield one


@pytest.fixture
def token() -> str:
    tenant, _ = Tenant.objects.get_or_create(slug="default")
    return tokens.issue(name="hostile", tenant=tenant, scopes=["admin"]).text


def statuses(web: Web, token: str, head: str, *parts: bytes) -> list[int]:
    """Send these very bytes, and no more; the status of each answer until the server is done."""
    lines = f"{head}\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", web.port), timeout=30) as line:
        try:
            for part in (lines.encode() + b"\r\n" if not parts else lines.encode(), *parts):
                line.sendall(part)
            line.shutdown(socket.SHUT_WR)
        except OSError:  # the answer came before the end of the request
            pass
        heard = b""
        try:
            while more := line.recv(65536):
                heard += more
        except ConnectionResetError:
            pass
    return [int(part[:3]) for part in heard.split(b"HTTP/1.1 ")[1:]]


def posted(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in ("Content-Type: application/json", *lines)).encode()


def test_t29_t36_hostile_requests_are_refused_and_the_next_one_is_served(
    web: Web, token: str
) -> None:
    post, packed = "POST /api/v1/jobs HTTP/1.1", gzip.compress(BODY)
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    refused: dict[str, tuple[list[int], set[int]]] = {
        "too large": (
            statuses(web, token, post, posted(f"Content-Length: {2 * MIB}") + b"\r\n",
                     b" " * 2 * MIB),
            {413},
        ),
        "chunks beyond the limit": (
            statuses(web, token, post, posted("Transfer-Encoding: chunked") + b"\r\n",
                     *[chunk] * 20, b"0\r\n\r\n"),
            {413},
        ),
        "longer than announced": (
            statuses(web, token, post, posted("Content-Length: 10") + b"\r\n", BODY), {400},
        ),
        "shorter than announced": (
            statuses(web, token, post, posted("Content-Length: 900") + b"\r\n", BODY), {400},
        ),
        "two lengths": (
            statuses(web, token, post,
                     posted("Content-Length: 5", f"Content-Length: {len(BODY)}") + b"\r\n", BODY),
            {400},
        ),
        "compressed": (
            statuses(web, token, post,
                     posted("Content-Encoding: gzip", f"Content-Length: {len(packed)}") + b"\r\n",
                     packed),
            {415},
        ),
        "TRACE": (statuses(web, token, "TRACE /api/v1/jobs HTTP/1.1"), {405}),
        "no method": (statuses(web, token, "BREW /api/v1/jobs HTTP/1.1"), {405}),
        "NUL": (statuses(web, token, "GET /api/v1/jobs/%00 HTTP/1.1"), {404}),
        "dots": (statuses(web, token, "GET /api/v1/jobs/%2e%2e/tokens HTTP/1.1"), {404}),
        "10 kB of path": (statuses(web, token, f"GET /api/v1/jobs/{'a' * 10_000} HTTP/1.1"),
                          {404, 414}),
        "10 kB of query": (statuses(web, token, f"GET /api/v1/jobs?{'a' * 10_000} HTTP/1.1"),
                           {414, 422}),
        "100 kB of path": (statuses(web, token, f"GET /api/v1/jobs/{'a' * 100_000} HTTP/1.1"),
                           {400, 404, 414}),
    }  # fmt: skip
    for what, (answered, allowed) in refused.items():
        assert set(answered[:1]) <= allowed, (what, answered)
        assert not any(status >= 500 or status < 300 for status in answered), (what, answered)
    assert not Job.objects.exists()
    assert web.ask("POST", "/api/v1/jobs", token, body=json.loads(BODY))[0] == 201
