"""Where the pages of endpoints and deliveries are."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse


def endpoints_link() -> str:
    return reverse("admin:webhooks_endpoint_changelist")


def endpoint_link(endpoint_id: UUID) -> str:
    return reverse("admin:webhooks_endpoint_change", args=[endpoint_id])


def deliveries_link(**filters: str) -> str:
    place = reverse("admin:webhooks_delivery_changelist")
    return f"{place}?{urlencode(filters)}" if filters else place


def delivery_link(delivery_id: UUID) -> str:
    return reverse("admin:webhooks_delivery_change", args=[delivery_id])


def job_link(job_id: UUID) -> str:
    return reverse("admin:jobs_job_change", args=[job_id])


def web_link(url: str) -> str:
    """The URL where a browser may follow it, as it may no `javascript:`; else nothing."""
    return url if url.lower().startswith(("http://", "https://")) else ""
