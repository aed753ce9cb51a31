from jobs.models.attempt import Attempt, AttemptOutcome
from jobs.models.dependency import Dependency, OnFailure
from jobs.models.file_use import FileUse
from jobs.models.heartbeat import Heartbeat
from jobs.models.job import Job
from jobs.models.leadership import Leadership
from jobs.models.queue import Queue
from jobs.models.rollup import DepthSample, Rollup, RollupMark
from jobs.models.stored_file import StoredFile
from jobs.models.worker import Worker

__all__ = [
    "Attempt",
    "AttemptOutcome",
    "Dependency",
    "DepthSample",
    "FileUse",
    "Heartbeat",
    "Job",
    "Leadership",
    "OnFailure",
    "Queue",
    "Rollup",
    "RollupMark",
    "StoredFile",
    "Worker",
]
