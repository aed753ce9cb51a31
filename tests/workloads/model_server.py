"""A language model's server on loopback that answers as it is told, in Ollama's or OpenAI's way."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

Behaviour = Callable[["Exchange"], None]

OUTLINE = "## A heading\n- A first point about it.\n- A second point about it.\nTERMS: one, two"
SUMMARY = "These notes are about a heading and its points."
QUIZ = "Q: What are they about?\nA: A heading."


class Exchange:
    """One request, and the means to answer it piece by piece."""

    def __init__(self, handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
        self._handler = handler
        self._stopping = stopping
        self.path = handler.path
        length = int(handler.headers.get("Content-Length", "0"))
        self.body: dict[str, Any] = json.loads(handler.rfile.read(length))
        self.authorization = handler.headers.get("Authorization")

    @property
    def question(self) -> str:
        return str(self.body["messages"][1]["content"])

    def status(self, code: int, **headers: str) -> None:
        self._handler.send_response(code)
        for name, value in headers.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()

    def send(self, data: bytes) -> None:
        self._handler.wfile.write(data)
        self._handler.wfile.flush()

    def say(self, text: str) -> None:
        self.send(json.dumps({"message": {"content": text}, "done": False}).encode() + b"\n")

    def done(self) -> None:
        self.send(b'{"message": {"content": ""}, "done": true}\n')

    def pause(self, seconds: float) -> None:
        """Wait, but not beyond the server's end."""
        self._stopping.wait(seconds)

    def until_stopped(self) -> Iterator[None]:
        while not self._stopping.is_set():
            yield


class ModelServer:
    """Runs a behaviour for each request: the next of `queue`, else `behaviour`."""

    def __init__(self) -> None:
        self.behaviour: Behaviour = well_behaved
        self.queue: list[Behaviour] = []
        self.questions: list[str] = []
        self._stopping = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                exchange = Exchange(self, owner._stopping)
                owner.questions.append(exchange.question)
                behaviour = owner.queue.pop(0) if owner.queue else owner.behaviour
                with contextlib.suppress(OSError):  # the client may well have gone
                    behaviour(exchange)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ModelServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


def answer_for(question: str) -> str:
    """What a good model says to each of the three questions."""
    if question.startswith("Take notes"):
        return OUTLINE
    return SUMMARY if question.startswith("Sum up") else QUIZ


def well_behaved(exchange: Exchange) -> None:
    exchange.status(200)
    for word in answer_for(exchange.question).split(" "):
        exchange.say(word + " ")
    exchange.done()


def saying(text: str) -> Behaviour:
    def behaviour(exchange: Exchange) -> None:
        exchange.status(200)
        exchange.say(text)
        exchange.done()

    return behaviour


def answering(code: int, **headers: str) -> Behaviour:
    return lambda exchange: exchange.status(code, **headers)


def sending(data: bytes) -> Behaviour:
    def behaviour(exchange: Exchange) -> None:
        exchange.status(200)
        exchange.send(data)

    return behaviour


def silent(exchange: Exchange) -> None:
    """Accept the request and never answer."""
    for _ in exchange.until_stopped():
        exchange.pause(0.05)


def silent_after_a_word(exchange: Exchange) -> None:
    exchange.status(200)
    exchange.say("Well")
    silent(exchange)


def endless(exchange: Exchange) -> None:
    exchange.status(200)
    for _ in exchange.until_stopped():
        exchange.say("and so on " * 1000)


def dripping(exchange: Exchange) -> None:
    """A byte now and then, and never a whole line."""
    exchange.status(200)
    for _ in exchange.until_stopped():
        exchange.send(b" ")
        exchange.pause(0.02)


def cut_off(exchange: Exchange) -> None:
    """Promise more than is sent."""
    exchange.status(200, Content_Length="1000")
    exchange.say("This answer will")


def openai_style(exchange: Exchange) -> None:
    exchange.status(200, Content_Type="text/event-stream")
    exchange.send(b": a comment\n\n")
    for word in answer_for(exchange.question).split(" "):
        event = {"choices": [{"delta": {"content": word + " "}, "finish_reason": None}]}
        exchange.send(b"data: " + json.dumps(event).encode() + b"\n\n")
    exchange.send(b'data: {"choices": [], "usage": {}}\n\ndata: [DONE]\n\n')


def waited(seconds: float, condition: Callable[[], bool]) -> bool:
    """Whether the condition came true within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
