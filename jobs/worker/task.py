"""The Celery task behind every job type: it takes a message and executes what it names."""

from __future__ import annotations

import logging
from typing import Any

from celery import Celery, Task

from jobs import registry
from jobs.message import MalformedMessage, decode
from jobs.worker import process

logger = logging.getLogger(__name__)


class JobTask(Task):  # type: ignore[type-arg]
    """Celery sees a task that always succeeds; what became of the job stands in its row."""

    abstract = True
    typing = False
    acks_late = True
    ignore_result = True

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        try:
            jobs = decode(args[0] if len(args) == 1 and not kwargs else args)
        except MalformedMessage as error:
            text = "dropped a malformed message for %s: %s"
            logger.error(text, self.name, error, extra={"job_type": self.name})
            process.count_dropped_message()
            return
        child = process.child()
        for job in jobs:
            try:
                child.execution.run(job)
            except Exception:  # Celery's main process ends over a MemoryError of a child's
                text = "job %s: the attempt could not be handled"
                logger.exception(text, job.id, extra={"job_id": job.id})
        if child.gate.stopping:
            raise SystemExit(0)


def register_job_tasks(app: Celery) -> None:
    """A Celery task for each job type, under its name: so Flower and the logs show it."""
    for job_type in registry.all():
        task = type("JobTask", (JobTask,), {"name": job_type.name, "__module__": __name__})
        app.register_task(task())
