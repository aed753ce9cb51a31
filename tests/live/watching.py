"""Streams as a program reads them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import requests
from websockets.sync.client import ClientConnection, connect

from accounts import tokens
from accounts.models import Tenant
from tests.browser.site import Site

PATIENCE = 60.0  # seconds; the machine may be busy


class Stream:
    """Server-sent events, one after the other."""

    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self.comments = 0
        self._last = "nothing"
        self._lines = answer.iter_lines(chunk_size=None)  # as it comes

    def next(self) -> dict[str, Any]:
        """The next event; fails at the end of the stream."""
        event = self.next_or_end()
        assert event is not None, "the stream has ended"
        return event

    def next_or_end(self) -> dict[str, Any] | None:
        """Fails where none comes within PATIENCE, however many comments do."""
        fields: dict[str, str] = {}
        deadline = time.monotonic() + PATIENCE
        for line in self._lines:
            assert time.monotonic() < deadline, f"no event in {PATIENCE} s, after {self._last}"
            text = line.decode()
            if text.startswith(":"):
                self.comments += 1
            elif text:
                name, _, value = text.partition(": ")
                fields[name] = value
            elif "data" in fields:
                event: dict[str, Any] = json.loads(fields["data"])
                assert (fields["id"], fields["event"]) == (event["id"], event["event"])
                self._last = event["event"]
                return event
            else:
                fields = {}
        return None

    def rest(self) -> list[dict[str, Any]]:
        """Everything to the end of the stream."""
        return list(iter(self.next_or_end, None))

    def until(self, name: str) -> list[dict[str, Any]]:
        """Up to and with the first event of this name."""
        seen = [self.next()]
        while seen[-1]["event"] != name:
            seen.append(self.next())
        return seen

    def close(self) -> None:
        self.answer.close()


class Watch:
    """One token and the streams that are opened with it."""

    def __init__(
        self,
        site: Site,
        *,
        scopes: tuple[str, ...] = ("admin",),
        owner: str = "",
        tenant: Tenant | None = None,
    ) -> None:
        self.site = site
        self.tenant = tenant = tenant or Tenant.objects.get(slug="default")
        name = f"watch-{time.monotonic_ns()}"
        self.issued = tokens.issue(name=name, tenant=tenant, scopes=scopes, owner=owner)
        self.headers = {"Authorization": f"Bearer {self.issued.text}"}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        url = f"{self.site.url}/api/v1{path}"
        return requests.request(method, url, headers=headers, timeout=PATIENCE, **more)

    def stream(
        self, *, headers: dict[str, str] | None = None, anonymous: bool = False, **query: Any
    ) -> Stream:
        answer = requests.get(
            f"{self.site.url}/api/v1/events",
            params=query,
            headers={**({} if anonymous else self.headers), **(headers or {})},
            stream=True,
            timeout=PATIENCE,
        )
        self._open.callback(answer.close)
        assert answer.status_code == 200, answer.text
        return Stream(answer)

    def socket(self, query: str = "", **more: Any) -> ClientConnection:
        url = f"{self.site.url.replace('http', 'ws')}/ws/v1/events{query}"
        headers = {**self.headers, **more.pop("headers", {})}
        socket: ClientConnection = self._open.enter_context(
            connect(url, additional_headers=headers, open_timeout=PATIENCE, **more)
        )
        return socket


def heard(socket: ClientConnection) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(socket.recv(timeout=PATIENCE))
    return event


def all_heard(socket: ClientConnection, last: str) -> Iterator[dict[str, Any]]:
    """Up to and with the first event of this name."""
    while True:
        event = heard(socket)
        yield event
        if event["event"] == last:
            return


def heard_until(socket: ClientConnection, name: str, **data: str) -> dict[str, Any]:
    """The next event of this name, of the job with these data."""
    while True:
        event = heard(socket)
        if event["event"] == name and data.items() <= event["data"].items():
            return event


def names(events: list[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]
