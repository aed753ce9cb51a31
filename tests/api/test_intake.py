"""What one web process holds of the files that come in: bounded in number, in bytes, in time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest
from asgiref.typing import ASGIReceiveCallable, HTTPScope
from pytest_django import Settings

from config.api import intake
from config.api.intake import Intake, Refused
from jobs.files import spool

LIMIT = 1000
LONGEST = LIMIT + spool.FRAMING
SCOPE = cast("HTTPScope", {"type": "http", "headers": []})


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, settings: Settings) -> None:
    settings.CELERIAC_HOME = tmp_path


def sender(*parts: bytes, every: float = 0, ends: bool = True) -> ASGIReceiveCallable:
    """A client that sends these parts, and then nothing more."""
    left = list(parts)

    async def receive() -> Any:
        await asyncio.sleep(every)
        if not left:
            await asyncio.Event().wait()
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left) or not ends}

    return receive


async def refused(coming: Intake, receive: ASGIReceiveCallable) -> int:
    with pytest.raises(Refused) as told:
        async with coming.taken_in(SCOPE, receive):
            pass
    return told.value.problem.status


async def takes(coming: Intake, body: bytes = b"x") -> None:
    async with coming.taken_in(SCOPE, sender(body)) as (spooled, size):
        spooled.seek(0)
        assert (spooled.read(), size) == (body, len(body))


def test_an_upload_that_stalls_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "STALL_SECONDS", 0.1)

    async def run() -> None:
        coming = Intake(LIMIT)
        assert await refused(coming, sender(b"x", ends=False)) == 408
        await takes(coming)

    asyncio.run(run())


def test_an_upload_that_trickles_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LONGEST_SECONDS", 0.1)

    async def run() -> None:
        assert await refused(Intake(LIMIT), sender(*[b"x"] * 10_000, every=0.01)) == 408

    asyncio.run(run())


def test_one_upload_too_many_is_503_until_another_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 2)

    async def run() -> None:
        coming = Intake(LIMIT)
        async with coming.taken_in(SCOPE, sender(b"x")):
            async with coming.taken_in(SCOPE, sender(b"x")):
                assert await refused(coming, sender(b"x")) == 503
            await takes(coming)

    asyncio.run(run())


def test_bytes_without_room_are_503_until_others_have_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(intake, "WHOLE_BODIES", 2)
    whole = b"x" * LONGEST

    async def run() -> None:
        coming = Intake(LIMIT)
        async with coming.taken_in(SCOPE, sender(whole)):
            async with coming.taken_in(SCOPE, sender(whole)):
                assert await refused(coming, sender(b"x")) == 503
            await takes(coming, whole)
        await takes(coming, whole)

    asyncio.run(run())


def test_who_is_refused_for_its_size_gives_its_room_back() -> None:
    async def run() -> None:
        coming = Intake(LIMIT)
        for _ in range(3 * intake.WHOLE_BODIES):
            assert await refused(coming, sender(b"x" * LONGEST, b"x")) == 413
        await takes(coming, b"x" * LONGEST)

    asyncio.run(run())


def test_a_busy_process_says_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "AT_ONCE", 0)

    async def run() -> None:
        with pytest.raises(Refused) as told:
            async with Intake(LIMIT).taken_in(SCOPE, sender(b"x")):
                pass
        assert int(told.value.problem.headers["Retry-After"]) > 0

    asyncio.run(run())
