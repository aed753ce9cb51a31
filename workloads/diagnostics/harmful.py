"""Job types that hurt the worker they run in. Declared only where `DIAGNOSTICS_CRASH` is set."""

import os
import signal
from typing import Annotated, Any

from pydantic import Field

from jobs import JobContext, job_type

RETRY_BACKOFF = 1
RETRY_BACKOFF_MAX = 10
LONGEST = 86_400
MEBIBYTE = 1024 * 1024
BLOCK = 16
PAGE = 4096


@job_type(
    "diagnostics.crash",
    timeout=LONGEST,
    retry_backoff=RETRY_BACKOFF,
    retry_backoff_max=RETRY_BACKOFF_MAX,
    description="Kills its own worker child with SIGKILL, at every attempt or at the first few.",
)
def crash(
    context: JobContext,
    *,
    times: Annotated[int, Field(ge=0)] | None = None,
    after_seconds: Annotated[float, Field(ge=0, le=LONGEST)] = 0.0,
) -> dict[str, Any]:
    """Die at the first `times` attempts (None: at all of them), after a while if wanted."""
    if times is None or context.attempt <= times:
        context.progress(50, f"attempt {context.attempt} is about to crash")
        context.sleep(after_seconds)
        os.kill(os.getpid(), signal.SIGKILL)
    return {"crashed": times, "attempt": context.attempt}


@job_type(
    "diagnostics.allocate",
    timeout=LONGEST,
    retry_backoff=RETRY_BACKOFF,
    retry_backoff_max=RETRY_BACKOFF_MAX,
    description="Takes up memory and holds it for a while.",
)
def allocate(
    context: JobContext,
    *,
    megabytes: Annotated[int, Field(ge=1, le=1024 * 1024)],
    seconds: Annotated[float, Field(ge=0, le=LONGEST)] = 0.0,
) -> dict[str, Any]:
    """Hold `megabytes` MiB of resident memory for `seconds`."""
    held: list[bytearray] = []
    while (size := len(held) * BLOCK) < megabytes:
        context.raise_if_cancelled()
        held.append(_resident(min(BLOCK, megabytes - size)))
        context.progress(100 * size / megabytes, f"{size} of {megabytes} MiB")
    context.sleep(seconds)
    return {"megabytes": sum(map(len, held)) // MEBIBYTE, "seconds": seconds}


def _resident(mebibytes: int) -> bytearray:
    block = bytearray(mebibytes * MEBIBYTE)
    block[::PAGE] = b"\x01" * len(block[::PAGE])  # an untouched page takes up no memory
    return block
