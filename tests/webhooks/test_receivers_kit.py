"""The example receiver as a process of its own, and what the how-to prints, as it is printed."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, Any
from uuid import UUID

import pytest
from django.test import RequestFactory

from config.bootstrap import ROOT
from webhooks import secrets
from webhooks.signing import signed_headers

PAGE = (ROOT / "docs" / "howto" / "receive-webhooks.md").read_text()
SCRIPT = ROOT / "docs" / "examples" / "python" / "webhook_receiver.py"
SECRET, FORMER, FOREIGN = (secrets.new() for _ in range(3))
EVENT = UUID("01a20875-5eec-76b7-bc75-97abb8b7fe8f")
BODY = json.dumps({"event": "job.completed", "data": {"job_id": "j-1", "result": "é"}})

Headers = dict[str, str]
Given = dict[str, Callable[[], Headers]]


@dataclass(frozen=True, kw_only=True)
class Running:
    """The example's process."""

    port: int
    lines: IO[str]

    def post(self, headers: Mapping[str, str], body: str = BODY) -> tuple[int, str]:
        """The status of the answer, and the line that it writes of it."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        line.request("POST", "/", body=body.encode(), headers=dict(headers))
        status = line.getresponse().status
        line.close()
        return status, self.told()

    def told(self) -> str:
        return self.lines.readline().strip()


@contextmanager
def running(secret: str) -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), "0"], env={**os.environ, "WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline().rpartition(":")[2])
        yield Running(port=port, lines=process.stdout)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Running]:
    with running(SECRET) as started:
        yield started


def headers(*by: str, ago: timedelta = timedelta(), body: str = BODY) -> Headers:
    """As Celeriac signs."""
    return signed_headers(EVENT, datetime.now(UTC) - ago, body, by or (SECRET,))


def test_it_takes_what_celeriac_signs_and_knows_what_came_before() -> None:
    with running(SECRET) as receiver:
        assert receiver.post(headers()) == (200, "job.completed j-1")
        assert receiver.post(headers()) == (200, "job.completed j-1 (came before)")


# Each is to be taken, or refused, by every way of verifying.
GOOD: Given = {
    "its own secret": headers,
    "the former one as well": lambda: headers(SECRET, FORMER),
    "the new one, which it has not got yet": lambda: headers(FORMER, SECRET),
    "a clock that is a little off": lambda: headers(ago=timedelta(minutes=-4)),
}
BAD: Given = {
    "another secret": lambda: headers(FOREIGN),
    "another body": lambda: headers(body=BODY + " "),
    "another id": lambda: {**headers(), "webhook-id": "msg_2"},
    "another time": lambda: {**headers(), "webhook-timestamp": _now(-5)},
    "an old one": lambda: headers(ago=timedelta(minutes=6)),
    "one of the future": lambda: headers(ago=timedelta(minutes=-6)),
    "no signature": lambda: _without("webhook-signature"),
    "no id": lambda: _without("webhook-id"),
    "no time": lambda: _without("webhook-timestamp"),
    "a time that is none": lambda: {**headers(), "webhook-timestamp": "1e9"},
    "a time without end": lambda: {**headers(), "webhook-timestamp": "9" * 5000},
    "a signature that is none": lambda: {**headers(), "webhook-signature": "v1,é"},
    "no version": lambda: {**headers(), "webhook-signature": headers()["webhook-signature"][3:]},
    "an empty one": lambda: {**headers(), "webhook-signature": ""},
}


def _now(later: float) -> str:
    return str(int(datetime.now(UTC).timestamp() + later))


def _without(name: str) -> Headers:
    return {key: value for key, value in headers().items() if key != name}


@pytest.mark.parametrize("given", GOOD)
def test_a_right_signature_is_taken(receiver: Running, given: str) -> None:
    status, line = receiver.post(GOOD[given]())
    assert (status, line[:17]) == (200, "job.completed j-1")


@pytest.mark.parametrize("given", BAD)
def test_a_wrong_one_is_refused(receiver: Running, given: str) -> None:
    status, line = receiver.post(BAD[given]())
    assert (status, line[:9]) == (401, "refused: ")


def test_headers_count_however_they_are_written(receiver: Running) -> None:
    status, _ = receiver.post({name.title(): value for name, value in headers().items()})
    assert status == 200


@pytest.mark.parametrize("length", ["", "x", "-1", "99999999"])
def test_a_body_of_no_known_or_too_great_length_is_not_read(receiver: Running, length: str) -> None:
    status, line = receiver.post({**headers(), "Content-Length": length}, body="")
    assert (status, line[:9]) == (413, "refused: ")


# --- What the page prints ------------------------------------------------------------------------


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.S | re.M)


def view(request_headers: Headers) -> int:
    """By the page's view, with the library."""
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[0], "page", "exec"), names)
    request = RequestFactory().post(
        "/", BODY.encode(), content_type="application/json", headers=request_headers
    )
    return int(names["hook"](request).status_code)


def by_hand(request_headers: Headers) -> int:
    """By the page's function, with nothing but Python."""
    names: dict[str, Any] = {}
    exec(compile(blocks("python")[1], "page", "exec"), names)
    try:
        names["verify"](SECRET, request_headers, BODY.encode())
    except ValueError:
        return 401
    return 200


def test_the_receiver_verifies_as_the_page_does() -> None:
    function = blocks("python")[1].partition("\n\n\n")[2]
    assert function.startswith("def verify(")
    assert function in SCRIPT.read_text()


@pytest.mark.parametrize("verify", [view, by_hand])
@pytest.mark.parametrize("given", [*GOOD, *BAD])
def test_the_two_ways_to_verify_judge_alike(
    verify: Callable[[Headers], int], given: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_SECRET", SECRET)
    assert verify({**GOOD, **BAD}[given]()) == (200 if given in GOOD else 401)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the page signs with openssl")
def test_what_the_page_signs_with_openssl_is_taken_and_another_body_is_not() -> None:
    start, signed, another = blocks("sh")[:3]
    make_secret, command = start.splitlines()
    assert command == f"python3 {SCRIPT.relative_to(ROOT)} 9000"
    secret = shell(make_secret, 'printf %s "$WEBHOOK_SECRET"')
    with running(secret) as receiver:
        calls = (one.replace(":9000/", f":{receiver.port}/") for one in (signed, another))
        told = shell(*calls, secret=secret)
        assert re.findall(r"^HTTP/\S+ (\d+)", told, re.M) == ["200", "401"]
        assert receiver.told() == "endpoint.test"
        assert receiver.told() == "refused: no signature is right"


def shell(*lines: str, secret: str = "") -> str:
    done = subprocess.run(
        ["bash", "-euc", "\n".join(lines)], env={**os.environ, "WEBHOOK_SECRET": secret},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout
