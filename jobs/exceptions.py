"""What can go wrong in the engine.

    JobsError
    ├── UnknownJobType        no installed app declares this type
    ├── UnknownQueue          no such queue
    ├── UnknownTenant         no such tenant
    ├── InvalidOptions        an option of a job breaks a rule
    ├── InvalidPayload        the parameters do not fit the type
    ├── InvalidWorkflow       the steps of a workflow break a rule
    ├── InvalidPolicy         a limit or a pause breaks a rule
    ├── BatchRefused          a batch is handed in whole or not at all, and an item is refused
    ├── QueueExists           there is a queue of this name
    ├── QuotaExceeded         the tenant may hand in no more jobs now
    ├── DeclarationError      a job type is declared wrongly
    ├── TransitionRefused     the job's status does not allow what was asked
    ├── UniqueKeyTaken        another active job holds the unique key
    ├── FileGone              a file that the job needs is no more
    ├── ArtifactRefused       a job hands over too much, or at the wrong moment
    └── AttemptLost           the attempt no longer holds the job

The docstring of each is its message.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from accounts.pointer import pointer as pointer


class JobsError(Exception):
    """Something went wrong."""

    def __init__(self, message: str = "", **data: Any) -> None:
        super().__init__(message or (self.__doc__ or "").strip())
        self.data = data


class UnknownJobType(JobsError):
    """No such job type."""


class UnknownQueue(JobsError):
    """No such queue."""


class UnknownTenant(JobsError):
    """No such tenant."""


class FieldErrors(JobsError):
    """Some fields break a rule."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(f"{error.pointer}: {error.detail}" for error in errors))
        self.errors = errors


class FieldError:
    """One broken rule: `pointer` is a JSON pointer to the place."""

    def __init__(self, pointer: str, detail: str) -> None:
        self.pointer = pointer
        self.detail = detail


class InvalidOptions(FieldErrors):
    """An option of the job breaks a rule."""


class InvalidWorkflow(FieldErrors):
    """The steps of the workflow break a rule."""


class InvalidPolicy(FieldErrors):
    """A limit or a pause breaks a rule."""


class QueueExists(JobsError):
    """There is a queue of this name."""


class InvalidPayload(FieldErrors):
    """The parameters do not fit the job type."""


class PayloadTooLarge(JobsError):
    """The parameters are larger than a payload may be."""


class QuotaExceeded(JobsError):
    """The tenant may hand in no more jobs now."""

    def __init__(self, message: str = "", *, retry_after: int) -> None:
        super().__init__(message, retry_after=retry_after)
        self.retry_after = retry_after  # seconds


class BatchRefused(JobsError):
    """An item of the batch was refused, and with it all of them."""

    def __init__(self, errors: dict[int, JobsError]) -> None:
        super().__init__()
        self.errors = errors  # by the item's place


class DeclarationError(JobsError):
    """The job type is declared wrongly."""


class TransitionRefused(JobsError):
    """The job's status does not allow this."""


class UniqueKeyTaken(TransitionRefused):
    """Another active job holds the unique key."""


class FileGone(JobsError):
    """A file that the job needs is no more."""


class ArtifactRefused(JobsError):
    """The artifact is not kept."""


class AttemptLost(JobsError):
    """The attempt no longer holds the job; nothing it writes is kept."""

    def __init__(self, *, job_id: UUID, fence: int) -> None:
        super().__init__(job_id=job_id, fence=fence)
