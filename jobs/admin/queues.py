"""Queues in the admin: what waits in each, since when, and who consumes it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin.base import ScopedAdmin
from jobs.admin.figures import queue_rows, worker_rows
from jobs.admin.looking import tenant_choices, tenant_of, whose_of
from jobs.models import Queue
from jobs.stats import workers_of


@admin.register(Queue)
class QueueAdmin(ScopedAdmin):
    """Not a table of rows but of figures, of the tenants whose jobs this person may see."""

    tenant_path = None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._page(request, "Queues", None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        name = unquote(object_id)
        return self._page(request, name, name)

    def _page(self, request: HttpRequest, title: str, name: str | None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        now, whose = timezone.now(), whose_of(request)
        rows = [row for row in queue_rows(whose, now) if name in (None, row.name)]
        if name is not None and not rows:
            raise Http404
        workers = [one for one in workers_of(whose) if name is None or name in one.queues]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "tenants": tenant_choices(request, tenant_of(request)),
            "queue": rows[0] if name else None,
            "queues": rows,
            "workers": worker_rows(workers, now) if name else [],
        }
        return TemplateResponse(request, "admin/jobs/queue/page.html", context)
