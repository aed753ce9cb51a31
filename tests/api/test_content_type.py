"""A Content-Type that Django cannot read is refused before it tries, on every route."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
from asgiref.typing import ASGI3Application, Scope
from django.core.asgi import get_asgi_application

from config.api.content_type import ReadableContentType

UNREADABLE = [
    b"a; x*=nosuch''y",
    b"a; x*=undefined''x",
    b"a; x*=idna''%ff",
    b"a; x*=z; x*1=y",
    b"a; charset=hex",
    b"a; charset=idna",
    b"a; charset=undefined",
]
READABLE = [
    b"",
    b"text",
    b"application/json; charset=utf-8",
    b"multipart/form-data; boundary=x; name*=utf-8''%e2",
    b";;;=\xff",
]


def ask(application: Any, content_type: bytes, *, method: str, path: str) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"a=%41",
        "headers": [(b"content-type", content_type)],
    }
    asyncio.run(application(cast("Scope", scope), receive, send))
    return sent


@pytest.mark.parametrize("content_type", UNREADABLE)
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/me"), ("POST", "/api/v1/files"), ("GET", "/healthz")]
)
def test_a_content_type_that_cannot_be_read_is_415(
    method: str, path: str, content_type: bytes
) -> None:
    whole = ReadableContentType(cast("ASGI3Application", get_asgi_application()))
    start, body = ask(whole, content_type, method=method, path=path)
    problem = json.loads(body["body"])
    assert (start["status"], problem["status"], problem["instance"]) == (415, 415, path)
    assert (b"content-type", b"application/problem+json") in start["headers"]


@pytest.mark.parametrize("content_type", READABLE)
def test_every_other_one_is_left_to_the_application(content_type: bytes) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"seen": dict(scope["headers"])[b"content-type"]})

    sent = ask(ReadableContentType(application), content_type, method="GET", path="/")
    assert sent == [{"seen": content_type}]
