"""What the calls about queues and pauses take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from jobs.api.bodies import Body, Moment
from jobs.models import PauseKind
from jobs.policies.pausing import LONGEST_REASON

Concurrency = Annotated[int, Field(ge=1, le=2_147_483_647)]
Weight = Annotated[int, Field(ge=1, le=100)]


class QueueLimits(Body):
    """What is left out stays as it is; null is no limit."""

    max_concurrency: Concurrency | None = None
    rate_limit: Annotated[str, Field(max_length=20, examples=["100/m"])] | None = None
    weight: Weight = 1


class NewQueue(QueueLimits):
    """A queue, and its limits if it has any."""

    name: Annotated[str, Field(max_length=100, pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class PauseTerms(Body):
    """Why, and until when; without `until` as long as nobody resumes it."""

    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""
    until: Moment | None = None


class NewPause(PauseTerms):
    """`target` is the name of a queue or a job type, the slug of a tenant, or a limit key of the
    tenant that the request acts for."""

    kind: Annotated[PauseKind, Field(strict=False)]
    target: str
