"""Server-sent events: one stream, opened again where it was cut off."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import requests

from celeriac_client.documents import Event
from celeriac_client.errors import error_of

_SILENCE_SECONDS = 45  # the server says something each 15
_COMES_BACK = frozenset({429, 502, 503, 504})
_PAUSE_SECONDS = 2.0

Open = Callable[[dict[str, str], tuple[float, float]], requests.Response]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One event of the stream as it was sent."""

    id: str
    name: str
    data: str


def frames(lines: Iterable[str]) -> Iterator[Frame]:
    """The events in the lines of a stream; comments and unknown fields are passed over."""
    known: dict[str, str] = {}
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield Frame(
                    id=known.get("id", ""), name=known.get("event", ""), data="\n".join(data)
                )
            known, data = {}, []
            continue
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        else:
            known[name] = value.removeprefix(" ")


def events(open_stream: Open) -> Iterator[Event]:
    """All events until the stream's end. After a cut it goes on where it was."""
    last = ""
    while True:
        try:
            with open_stream(_headers(last), (5, _SILENCE_SECONDS)) as stream:
                _require_open(stream)
                stream.encoding = "utf-8"
                for frame in frames(stream.iter_lines(decode_unicode=True)):
                    if frame.name == "stream.end":
                        return
                    last = frame.id or last
                    yield json.loads(frame.data)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ):
            pass
        time.sleep(_PAUSE_SECONDS)


def _headers(last: str) -> dict[str, str]:
    headers = {"Accept": "text/event-stream"}
    return {**headers, "Last-Event-ID": last} if last else headers


def _require_open(stream: requests.Response) -> None:
    """Raises ApiError for a refusal that will not change, ConnectionError for the others."""
    if stream.status_code in _COMES_BACK:
        raise requests.ConnectionError(f"{stream.status_code} {stream.reason}")
    if not stream.ok:
        raise error_of(stream.status_code, stream.json())
