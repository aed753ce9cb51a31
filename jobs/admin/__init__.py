"""Jobs, queues and workers in the Django admin: to look at, and to act on by audited verbs."""

from jobs.admin import batches, jobs, pauses, queues, workers, workflows

__all__ = ["batches", "jobs", "pauses", "queues", "workers", "workflows"]
