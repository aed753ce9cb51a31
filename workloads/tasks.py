"""The job types that ship, found here by Celery's convention."""

from django.conf import settings

from workloads.diagnostics import job_types as diagnostics
from workloads.notes import job_types as notes

__all__ = ["diagnostics", "notes"]

if settings.DIAGNOSTICS_CRASH:
    from workloads.diagnostics import harmful

    __all__ += ["harmful"]
