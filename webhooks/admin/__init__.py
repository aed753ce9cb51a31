"""Endpoints and deliveries in the Django admin: to look at, and to change by audited verbs."""

from jobs.admin import beside
from webhooks.admin import deliveries, endpoints, of_job

__all__ = ["deliveries", "endpoints"]

beside.register(of_job.part)
