"""The public door of the engine. Job authors import from here and nowhere deeper."""

from jobs.backoff import Backoff
from jobs.context import JobContext
from jobs.control import Cancel, CancelRequested, LeaseLost, RateLimited, Retry, Snooze
from jobs.declaration import job_type
from jobs.exceptions import ArtifactRefused, FileGone
from jobs.files.input_file import InputFile
from jobs.job_type import JobType
from jobs.policies.circuit import Circuit
from jobs.secret import Secret

__all__ = [
    "ArtifactRefused",
    "Backoff",
    "Cancel",
    "CancelRequested",
    "Circuit",
    "FileGone",
    "InputFile",
    "JobContext",
    "JobType",
    "LeaseLost",
    "RateLimited",
    "Retry",
    "Secret",
    "Snooze",
    "job_type",
]
