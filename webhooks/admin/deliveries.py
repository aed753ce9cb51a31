"""Deliveries in the admin: a list, a page of each, and sending again."""

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
from jobs.admin.doing import MOST, sentence
from jobs.admin.ids import as_id
from jobs.admin.telling import short_id
from jobs.admin.verb_pages import VerbPages
from webhooks.admin.deliveries_listing import listing
from webhooks.admin.delivery_page import page
from webhooks.admin.verbs import may_write, send_again
from webhooks.admin.ways import deliveries_link, delivery_link
from webhooks.models import Delivery

_CHOSEN = "delivery"


@admin.register(Delivery)
class DeliveryAdmin(VerbPages):
    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [
            self.way("send-again/", self.send_again_view, "send_again"),
            self.way("<uuid:delivery_id>/body/", self.body_view, "body"),
            *urls,
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = super().get_queryset(request)
        return rows.select_related("tenant", "endpoint")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_reading(request)
        context = listing(request, staff_of(request))
        return self.shown(request, "deliveries", title="Deliveries", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_reading(request)
        delivery = self.row(request, object_id)
        context = page(delivery, staff_of(request))
        title = f"{delivery.event_name} {short_id(delivery.pk)}"
        return self.shown(request, "delivery", title=title, **context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page tells the history."""
        return HttpResponseRedirect(delivery_link(self.row(request, object_id).pk))

    def body_view(self, request: HttpRequest, delivery_id: UUID) -> HttpResponse:
        """The very text that is sent, as a file."""
        self.require_reading(request)
        delivery = self.row(request, delivery_id)
        name = f"{delivery.event_id}.json"
        return HttpResponse(
            delivery.event.body,
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def send_again_view(self, request: HttpRequest) -> HttpResponse:
        """The chosen deliveries, one or many. Who may act on none of them is turned away."""
        person = staff_of(request)
        if request.method != "POST":
            raise Http404
        if not person.may_somewhere(Role.OPERATOR):
            raise PermissionDenied
        ids = [key for text in request.POST.getlist(_CHOSEN)[:MOST] if (key := as_id(text))]
        meant = list(self.get_queryset(request).filter(pk__in=ids).order_by("pk"))
        if meant and not any(may_write(person, one) for one in meant):
            raise PermissionDenied
        outcome = send_again(meant, person, self.by(request))
        tell = messages.warning if outcome.refused else messages.success
        tell(request, sentence("delivery", "deliveries", "sent again", outcome))
        return HttpResponseRedirect(_way_back(request, meant))


def _way_back(request: HttpRequest, meant: Sequence[Delivery]) -> str:
    """To the delivery's page or to the list, with its filters as they were."""
    if request.POST.get("from") == "page" and len(meant) == 1:
        return delivery_link(meant[0].pk)
    filters = request.POST.get("back", "")
    return f"{deliveries_link()}?{filters}" if filters else deliveries_link()
