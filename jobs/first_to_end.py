"""Two things at once for as long as neither is done: telling a client, and listening to it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first_to_end(*steps: Coroutine[Any, Any, None]) -> None:
    """Until one of them ends; the others are cancelled then, and have ended when this returns.

    Raises what the first ended with. If they end together, the failure of any counts.
    """
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
