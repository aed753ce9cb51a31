"""Endpoints in the admin: a list, a page of each, a form, and audited verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern

from accounts.roles import Role
from accounts.staff import staff_of
from jobs.admin import tenants
from jobs.admin.doing import MOST, sentence
from jobs.admin.ids import as_id
from webhooks.admin import form_page, replay
from webhooks.admin.forms import EndpointForm
from webhooks.admin.listing import listing
from webhooks.admin.page import page
from webhooks.admin.secret_pages import SecretPages
from webhooks.admin.verbs import VERBS, Verb, do
from webhooks.admin.ways import endpoint_link, endpoints_link
from webhooks.models import Endpoint

_CHOSEN, _CONFIRMED = "endpoint", "confirmed"


@admin.register(Endpoint)
class EndpointAdmin(SecretPages):
    audited_as = "endpoint"
    add_role = change_role = Role.OPERATOR

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [
            self.way("act/<slug:verb>/", self.act_view, "act"),
            self.way("<uuid:endpoint_id>/edit/", self.edit_view, "edit"),
            self.way("<uuid:endpoint_id>/replay/", self.replay_view, "replay"),
            *self.secret_ways(),
            *urls,
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Endpoint]:
        """Without those that jobs bring, and those that were deleted."""
        rows: QuerySet[Endpoint] = super().get_queryset(request)
        return rows.filter(deleted_at=None, is_of_jobs=False).select_related("tenant")

    # --- looking -------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_reading(request)
        context = listing(request, self.get_queryset(request), staff_of(request))
        return self.shown(request, "list", title="Webhooks", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_reading(request)
        endpoint = self.row(request, object_id)
        context = page(endpoint, staff_of(request))
        return self.shown(request, "page", title="Endpoint", **context)

    # --- the form ------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Made, it is answered by the page with the secret."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = EndpointForm(request.POST or None, tenant=tenants.chosen(request))
        if request.method == "POST" and form.is_valid():
            if answer := self.already_taken(request, endpoints_link()):
                return answer
            if made := form.create(self.by(request)):
                return self.secret_page(request, made.secret, made.endpoint)
        context = form_page.context(form, tenants.offered(request))
        return self.shown(request, "form", title="New endpoint", **context)

    def edit_view(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        endpoint = self.writable(request, endpoint_id)
        form = EndpointForm(request.POST or None, tenant=endpoint.tenant, endpoint=endpoint)
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.change(endpoint, self.by(request))
            except Endpoint.DoesNotExist:
                return self.gone(request)
            if saved is not None:
                messages.success(request, "The endpoint is saved.")
                return HttpResponseRedirect(endpoint_link(saved.pk))
        return self.shown(request, "form", title="Edit the endpoint", **form_page.context(form))

    # --- acting --------------------------------------------------------------------------

    def act_view(self, request: HttpRequest, verb: str) -> HttpResponse:
        """Do a verb to the chosen endpoints, one or many; a question first where it is asked."""
        if request.method != "POST" or verb not in VERBS:
            raise Http404
        asked = VERBS[verb]
        meant = self._chosen(request, asked)
        if asked.warning and meant and _CONFIRMED not in request.POST:
            way_back = _way_back(request, meant)
            return self.ask(request, asked, meant, chosen=_CHOSEN, way_back=way_back)
        outcome = do(asked, meant, staff_of(request), self.by(request))
        tell = messages.warning if outcome.refused else messages.success
        tell(request, sentence("endpoint", "endpoints", asked.done, outcome))
        gone = asked.name == "delete" and outcome.done
        return HttpResponseRedirect(endpoints_link() if gone else _way_back(request, meant))

    def replay_view(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        endpoint = self.writable(request, endpoint_id)
        form = replay.ReplayForm(request.POST or None, endpoint=endpoint)
        if request.method == "POST" and form.is_valid():
            try:
                found = form.send(self.by(request))
            except Endpoint.DoesNotExist:
                return self.gone(request)
            if found is not None:
                messages.success(request, replay.sentence(found))
                return HttpResponseRedirect(endpoint_link(endpoint.pk))
        context = {"endpoint": endpoint, "form": form}
        return self.shown(request, "replay", title="Send again", **context)

    def _chosen(self, request: HttpRequest, verb: Verb) -> list[Endpoint]:
        """Those of the named endpoints that this person may see. Who may act on none of them is
        turned away."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        ids = [key for text in request.POST.getlist(_CHOSEN)[:MOST] if (key := as_id(text))]
        found = list(self.get_queryset(request).filter(pk__in=ids))
        if found and not any(verb.allowed(staff_of(request), one) for one in found):
            raise PermissionDenied
        return found


def _way_back(request: HttpRequest, meant: Sequence[Endpoint]) -> str:
    """To the endpoint's page or to the list, with its filters as they were."""
    if request.POST.get("from") == "page" and len(meant) == 1:
        return endpoint_link(meant[0].pk)
    filters = request.POST.get("back", "")
    return f"{endpoints_link()}?{filters}" if filters else endpoints_link()
