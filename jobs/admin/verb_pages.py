"""The base of pages of rows that are changed by verbs alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from accounts.admin.base import ScopedAdmin, address_of
from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import Staff, staff_of
from jobs.admin.ids import as_id
from jobs.operations import Actor


class VerbPages(ScopedAdmin):
    """Django's form of the model is not used. Templates are those of the model's app."""

    actions = None

    def way(self, where: str, view: Any, name: str) -> URLPattern:
        guarded = self.admin_site.admin_view(view)
        whole = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        found: URLPattern = path(where, guarded, name=whole)
        return found

    def require_reading(self, request: HttpRequest) -> None:
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied

    def row(self, request: HttpRequest, row_id: str | UUID) -> Any:
        """Raises Http404, the same for a malformed, a missing and a foreign id."""
        key = as_id(row_id)
        found = self.get_queryset(request).filter(pk=key).first() if key else None
        if found is None:
            raise Http404
        return found

    def by(self, request: HttpRequest) -> Actor:
        return Actor(name=staff_of(request).actor, address=address_of(request))

    def shown(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        everywhere = self.admin_site.each_context(request)
        name = f"{self.opts.app_label}/admin/{template}.html"
        return TemplateResponse(request, name, {**everywhere, "opts": self.opts, **context})

    def ask(
        self, request: HttpRequest, verb: Any, rows: Sequence[Any], *, chosen: str, way_back: str
    ) -> HttpResponse:
        """Whether `verb`, which has a `name`, a `label` and a `warning`, is meant. Who says so
        posts the ids of the rows, as `chosen`, and `confirmed` to the same address."""
        everywhere = self.admin_site.each_context(request)
        context = {
            "title": f"{verb.label}?", "verb": verb, "meant": [(one.pk, str(one)) for one in rows],
            "chosen": chosen, "way_back": way_back, "opts": self.opts,
        }  # fmt: skip
        return TemplateResponse(request, "jobs/admin/verb_question.html", {**everywhere, **context})

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """It is deleted by its verb, if there is one."""
        raise PermissionDenied


def sees_several(person: Staff) -> bool:
    """Whether rows of more than one tenant stand beside each other."""
    return person.everywhere or len(person.roles) > 1


def tenants_of(person: Staff) -> list[Tenant]:
    """Those whose rows this person may see, by slug."""
    return list(person.narrow(Tenant.objects.order_by("slug"), Role.VIEWER, "pk"))
