"""How the tests call the API: as a program with a token would."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

from django.test import Client

PROBLEM = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def pointers(self) -> list[str]:
        """What a 422 points to."""
        assert self.status == 422, (self.status, self.body)
        return [error["pointer"] for error in self.body["errors"]]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """One token (or none) and the headers it always sends."""

    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **query: Any) -> Answer:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """`body` is sent as JSON; None sends none. Headers in Python's spelling."""
        data = b"" if body is None else json.dumps(body).encode()
        return self.call("POST", path, data=data, headers=_spelt(headers))

    def patch(self, path: str, body: Any) -> Answer:
        return self.call("PATCH", path, data=json.dumps(body).encode())

    def put(self, path: str, body: Any) -> Answer:
        return self.call("PUT", path, data=json.dumps(body).encode())

    def send(self, path: str, data: bytes, **headers: str) -> Answer:
        """POST these very bytes."""
        return self.call("POST", path, data=data, headers=_spelt(headers))

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        data: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = {**self.headers, **(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        content_type = sent.pop("Content-Type", "application/json")
        response = Client().generic(
            method,
            f"/api/v1{path}",
            data,
            content_type=content_type,
            headers=sent,
            query_params=query,
        )
        return Answer(
            status=response.status_code,
            body=json.loads(response.content) if response.content else None,
            headers=cast("dict[str, str]", dict(response.headers)),
        )


def _spelt(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in headers.items()}
