from jobs.models.attempt import Attempt, AttemptOutcome
from jobs.models.dependency import Dependency, OnFailure
from jobs.models.job import Job
from jobs.models.leadership import Leadership
from jobs.models.queue import Queue
from jobs.models.worker import Worker

__all__ = [
    "Attempt",
    "AttemptOutcome",
    "Dependency",
    "Job",
    "Leadership",
    "OnFailure",
    "Queue",
    "Worker",
]
