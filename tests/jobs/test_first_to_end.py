"""Two things at once, until one of them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from jobs.first_to_end import first_to_end


async def failing() -> None:
    raise LookupError


async def at_once() -> None:
    pass


def lasting(ended: list[str]) -> Coroutine[Any, Any, None]:
    async def step() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    return step()


def test_the_others_have_ended_when_the_first_has() -> None:
    ended: list[str] = []
    asyncio.run(first_to_end(lasting(ended), at_once()))
    assert ended == ["ended"]


def test_what_the_first_ended_with_is_raised() -> None:
    ended: list[str] = []
    with pytest.raises(LookupError):
        asyncio.run(first_to_end(lasting(ended), failing()))
    assert ended == ["ended"]


def test_a_failure_counts_where_another_ends_at_the_same_moment() -> None:
    with pytest.raises(LookupError):
        asyncio.run(first_to_end(at_once(), failing()))


def test_who_is_cancelled_takes_both_along() -> None:
    ended: list[str] = []

    async def scene() -> None:
        both = asyncio.ensure_future(first_to_end(lasting(ended), lasting(ended)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        both.cancel()
        with pytest.raises(asyncio.CancelledError):
            await both

    asyncio.run(scene())
    assert ended == ["ended", "ended"]
