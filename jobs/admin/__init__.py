"""Jobs, queues and workers in the Django admin: to look at, and to act on by audited verbs."""

from jobs.admin import jobs, queues, workers

__all__ = ["jobs", "queues", "workers"]
