"""Workers in the admin: what each can take, and what it runs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts.admin.base import ScopedAdmin
from jobs.admin.figures import worker_rows
from jobs.admin.looking import tenant_choices, tenant_of, whose_of
from jobs.models import Worker
from jobs.stats import workers_of


@admin.register(Worker)
class WorkerAdmin(ScopedAdmin):
    """What they run is shown of the tenants whose jobs this person may see."""

    tenant_path = None

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._page(request, "Workers", None)

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
        figures = [one for one in workers_of(whose_of(request)) if name in (None, one.name)]
        if name is not None and not figures:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "tenants": tenant_choices(request, tenant_of(request)),
            "workers": worker_rows(figures, timezone.now()),
            "only": worker_row(name) if name else None,
        }
        return TemplateResponse(request, "admin/jobs/worker/page.html", context)


def worker_row(name: str) -> Worker | None:
    """As it reported itself: the types it knows, and what it counted."""
    return Worker.objects.filter(pk=name).first()
