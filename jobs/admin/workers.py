"""Workers in the admin: what each can take, and what it runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest
from django.utils import timezone

from jobs.admin.figure_page import FigurePage
from jobs.admin.figures import worker_rows
from jobs.admin.looking import whose_of
from jobs.models import Worker
from jobs.stats import workers_of


@admin.register(Worker)
class WorkerAdmin(FigurePage):
    """What they run is shown of the tenants whose jobs this person may see."""

    page_template = "admin/jobs/worker/page.html"
    page_title = "Workers"

    def figures(self, request: HttpRequest, name: str | None) -> dict[str, Any]:
        found = [one for one in workers_of(whose_of(request)) if name in (None, one.name)]
        if name is not None and not found:
            raise Http404
        return {
            "workers": worker_rows(found, timezone.now()),
            "only": worker_row(name) if name else None,
        }


def worker_row(name: str) -> Worker | None:
    """As it reported itself: the types it knows, and what it counted."""
    return Worker.objects.filter(pk=name).first()
