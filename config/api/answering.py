"""A problem told by the web process itself, before Django is asked."""

from __future__ import annotations

import json

from asgiref.typing import ASGISendCallable, HTTPResponseBodyEvent, HTTPResponseStartEvent

from config.api.problem import CONTENT_TYPE, Problem


def events_of(problem: Problem, path: str) -> tuple[HTTPResponseStartEvent, HTTPResponseBodyEvent]:
    """The whole answer, after which the connection closes: more of a body may be to come."""
    body = json.dumps(problem.body(path)).encode()
    headers = {
        "content-type": CONTENT_TYPE,
        "content-length": str(len(body)),
        "connection": "close",
        **{name.lower(): value for name, value in problem.headers.items()},
    }
    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    return (
        {
            "type": "http.response.start",
            "status": problem.status,
            "headers": lines,
            "trailers": False,
        },
        {"type": "http.response.body", "body": body, "more_body": False},
    )


async def answer(problem: Problem, path: str, send: ASGISendCallable) -> None:
    for event in events_of(problem, path):
        await send(event)
