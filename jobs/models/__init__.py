from jobs.models.artifact import Artifact, ArtifactKind
from jobs.models.attempt import Attempt, AttemptOutcome
from jobs.models.batch import Batch
from jobs.models.dependency import Dependency, OnFailure
from jobs.models.file_use import FileUse
from jobs.models.heartbeat import Heartbeat
from jobs.models.job import Job
from jobs.models.key_state import KeyState
from jobs.models.leadership import Leadership
from jobs.models.log_line import LogLine
from jobs.models.pause import Pause, PauseKind
from jobs.models.queue import Queue
from jobs.models.rate_use import RateUse
from jobs.models.rollup import DepthSample, Rollup, RollupMark
from jobs.models.stored_file import StoredFile
from jobs.models.tenant_day import TenantDay
from jobs.models.worker import Wish, Worker
from jobs.models.workflow import Workflow

__all__ = [
    "Artifact",
    "ArtifactKind",
    "Attempt",
    "AttemptOutcome",
    "Batch",
    "Dependency",
    "DepthSample",
    "FileUse",
    "Heartbeat",
    "Job",
    "KeyState",
    "Leadership",
    "LogLine",
    "OnFailure",
    "Pause",
    "PauseKind",
    "Queue",
    "RateUse",
    "Rollup",
    "RollupMark",
    "StoredFile",
    "TenantDay",
    "Wish",
    "Worker",
    "Workflow",
]
