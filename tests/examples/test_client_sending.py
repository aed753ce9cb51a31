"""What the Python client does while the server asks to come later, or is cut off."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from celeriac_client import TooMany
from celeriac_client.events import frames
from celeriac_client.sending import Sender

Answer = tuple[int, dict[str, str], Any]
CUT_OFF: Answer = (0, {}, None)


class _Server(ThreadingHTTPServer):
    """Gives these answers, one after the other, and keeps the keys it was sent."""

    def __init__(self, answers: list[Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = answers
        self.keys: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.keys.append(self.headers.get("Idempotency-Key"))
        status, headers, body = self.server.answers.pop(0)
        if status == 0:
            self.connection.close()
            return
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def answering(*answers: Answer) -> Iterator[_Server]:
    with _Server(list(answers)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent(server: _Server, slept: list[float], *, again: bool = True, patience: float = 60) -> Any:
    sender = Sender(server.url, "t", tenant=None, patience=patience, sleep=slept.append)
    with sender.session:
        return sender.send("POST", "/jobs", again=again, headers={"Idempotency-Key": "k"}, json={})


@pytest.mark.parametrize("status", [429, 503])
def test_it_comes_again_with_the_same_key_when_the_server_asks_for_it(status: int) -> None:
    slept: list[float] = []
    with answering((status, {"Retry-After": "7"}, {}), (201, {}, {"id": 1})) as server:
        assert sent(server, slept) == {"id": 1}
    assert server.keys == ["k", "k"]
    assert [int(seconds) for seconds in slept] == [7]


def test_a_lost_answer_is_asked_for_again_only_where_that_does_no_harm() -> None:
    slept: list[float] = []
    with answering(CUT_OFF, (201, {}, {"id": 1})) as server:
        assert sent(server, slept) == {"id": 1}
    with answering(CUT_OFF) as server, pytest.raises(requests.ConnectionError):
        sent(server, slept, again=False)


def test_patience_ends() -> None:
    with (
        answering((429, {"Retry-After": "61"}, {"detail": "quota"})) as server,
        pytest.raises(TooMany, match="quota"),
    ):
        sent(server, [])


def test_the_frames_of_a_stream_are_read_as_the_standard_has_it() -> None:
    lines = [": hello", "", "id: 4", "event: job.progress", "data: {", "data:}", ""]
    lines += ["data", "id: 5", "data: last, not ended"]
    (frame,) = frames(lines)
    assert (frame.id, frame.name, frame.data) == ("4", "job.progress", "{\n}")
