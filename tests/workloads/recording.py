"""A job context that remembers what the job said to it."""

from dataclasses import dataclass, field
from uuid import UUID

from jobs import JobContext

JOB_ID = UUID("0199a000-0000-7000-8000-000000000001")


@dataclass(kw_only=True)
class Recorder:
    """`cancel_after` reports of progress somebody asks to cancel; None: nobody does."""

    cancel_after: int | None = None
    said: list[tuple[float, str]] = field(default_factory=list)
    handed_over: list[str] = field(default_factory=list)

    def progress(self, percent: float, message: str) -> None:
        self.said.append((percent, message))

    def cancel_requested(self) -> bool:
        return self.cancel_after is not None and len(self.said) >= self.cancel_after

    def artifact(self, name: str, content: object, content_type: str) -> UUID:
        self.handed_over.append(name)
        return JOB_ID

    @property
    def percents(self) -> list[float]:
        return [percent for percent, _ in self.said]

    @property
    def messages(self) -> list[str]:
        """The messages in order, repetitions left out."""
        return list(dict.fromkeys(message for _, message in self.said))


def context(recorder: Recorder | None = None, *, attempt: int = 1) -> JobContext:
    return JobContext(
        job_id=JOB_ID,
        attempt_id=f"{JOB_ID}:{attempt}",
        attempt=attempt,
        retry_count=attempt - 1,
        max_retries=3,
        tenant="default",
        reporter=recorder or Recorder(),
    )
