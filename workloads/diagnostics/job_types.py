"""Job types that do nothing useful, for operators and checks: is everything still moving?

They retry after one second, then two, four and so on up to ten, so that a check need not wait.
"""

from typing import Annotated, Any

from pydantic import Field

from jobs import JobContext, job_type
from workloads.diagnostics.chance import draw
from workloads.diagnostics.errors import FailedAsAsked

RETRY_BACKOFF = 1
RETRY_BACKOFF_MAX = 10
LONGEST = 86_400


@job_type(
    "diagnostics.echo",
    retry_backoff=RETRY_BACKOFF,
    retry_backoff_max=RETRY_BACKOFF_MAX,
    description="Returns its payload, whatever its keys.",
)
def echo(context: JobContext, /, **payload: Any) -> dict[str, Any]:
    """The payload as it arrived: an open payload, so any key and any JSON value will do."""
    return payload


@job_type(
    "diagnostics.sleep",
    timeout=LONGEST,
    retry_backoff=RETRY_BACKOFF,
    retry_backoff_max=RETRY_BACKOFF_MAX,
    description="Waits, reports progress at each step, and leaves at once when cancelled.",
)
def sleep(
    context: JobContext,
    *,
    seconds: Annotated[float, Field(ge=0, le=LONGEST)] = 1.0,
    steps: Annotated[int, Field(ge=1, le=100_000)] = 1,
) -> dict[str, Any]:
    """Wait `seconds` in `steps` equal steps."""
    for step in range(1, steps + 1):
        context.sleep(seconds / steps)
        context.progress(100 * step / steps, f"step {step} of {steps}")
    return {"seconds": seconds, "steps": steps}


@job_type(
    "diagnostics.fail",
    retry_backoff=RETRY_BACKOFF,
    retry_backoff_max=RETRY_BACKOFF_MAX,
    description="Fails as many attempts as asked, then succeeds.",
)
def fail(
    context: JobContext,
    *,
    times: Annotated[int, Field(ge=0)] = 1,
    message: Annotated[str, Field(max_length=1000)] = "Failed as asked.",
) -> dict[str, Any]:
    """Raise at the first `times` attempts, counted over all retries, those by hand too."""
    if context.attempt <= times:
        context.progress(50, f"attempt {context.attempt} is about to fail")
        raise FailedAsAsked(message)
    return {"failed": times, "attempt": context.attempt}


@job_type(
    "diagnostics.flaky",
    retry_backoff=RETRY_BACKOFF,
    retry_backoff_max=RETRY_BACKOFF_MAX,
    description="Fails with a probability; the same seed fails at the same attempts.",
)
def flaky(
    context: JobContext,
    *,
    probability: Annotated[float, Field(ge=0, le=1)] = 0.5,
    seed: int = 0,
) -> dict[str, Any]:
    """Raise where the draw of this seed and attempt is below `probability`."""
    drawn = draw(seed, context.attempt)
    if drawn < probability:
        raise FailedAsAsked(f"Failed by chance at attempt {context.attempt}.")
    return {"attempt": context.attempt, "drawn": drawn}
