"""The base of pages that show figures of things rather than a table of rows: queues, workers."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.admin.base import ScopedAdmin
from jobs.admin.looking import tenant_choices, tenant_of


class FigurePage(ScopedAdmin):
    """One page for all and one for each, of the tenants whose jobs this person may see."""

    tenant_path = None
    page_template: ClassVar[str]
    page_title: ClassVar[str]

    def figures(self, request: HttpRequest, name: str | None) -> dict[str, Any]:
        """What the template shows, of all or of the one called `name`. Raises Http404."""
        raise NotImplementedError

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._page(request, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._page(request, unquote(object_id))

    def _page(self, request: HttpRequest, name: str | None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": name or self.page_title,
            "opts": self.opts,
            "tenants": tenant_choices(request, tenant_of(request)),
            **self.figures(request, name),
        }
        return TemplateResponse(request, self.page_template, context)
