"""The pages where a signing secret is replaced, and shown this once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern

from accounts.models import Tenant
from accounts.staff import staff_of
from jobs.admin import tenants
from jobs.admin.verb_pages import VerbPages
from webhooks import verbs
from webhooks.admin import once
from webhooks.admin.rotating import RotateForm
from webhooks.admin.verbs import may_write
from webhooks.admin.ways import endpoint_link, endpoints_link
from webhooks.models import Endpoint


class SecretPages(VerbPages):
    """What EndpointAdmin has of them."""

    def secret_ways(self) -> Sequence[URLPattern]:
        return [
            self.way("<uuid:endpoint_id>/rotate/", self.rotate_view, "rotate"),
            self.way("own-secret/", self.own_secret_view, "own_secret"),
        ]

    def rotate_view(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
        endpoint = self.writable(request, endpoint_id)
        try:
            return self.rotating(request, endpoint.tenant, endpoint)
        except Endpoint.DoesNotExist:
            return self.gone(request)

    def own_secret_view(self, request: HttpRequest) -> HttpResponse:
        """The tenant's own, which signs for the `webhook_url` of its jobs."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self.rotating(request, tenants.chosen(request), None)

    def rotating(
        self, request: HttpRequest, tenant: Tenant, endpoint: Endpoint | None
    ) -> HttpResponse:
        form = RotateForm(request.POST or None)
        way_back = endpoint_link(endpoint.pk) if endpoint else endpoints_link()
        if request.method == "POST" and form.is_valid():
            if answer := self.already_taken(request, way_back):
                return answer
            keep_for, by = form.cleaned_data["keep_for"], self.by(request)
            if endpoint is None:
                secret = verbs.rotate_own_secret(tenant, by, keep_for=keep_for)
            else:
                secret = verbs.rotate_secret(endpoint, by, keep_for=keep_for)
            return self.secret_page(request, secret, endpoint, tenant)
        context = {
            "form": form,
            "endpoint": endpoint,
            "tenant": tenant,
            "tenants": tenants.offered(request) if endpoint is None else (),
            "way_back": way_back,
            "once": once.new(),
        }
        return self.shown(request, "rotate", title="New secret", **context)

    def writable(self, request: HttpRequest, endpoint_id: UUID) -> Endpoint:
        endpoint: Endpoint = self.row(request, endpoint_id)
        if not may_write(staff_of(request), endpoint):
            raise PermissionDenied
        return endpoint

    def gone(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, "The endpoint was deleted meanwhile.")
        return HttpResponseRedirect(endpoints_link())

    def already_taken(self, request: HttpRequest, way_back: str) -> HttpResponse | None:
        """Where this form was sent before: a page that was loaded again makes nothing more."""
        if not once.is_used(request):
            return None
        messages.warning(request, "That is done already; the secret is not shown again.")
        return HttpResponseRedirect(way_back)

    def secret_page(
        self,
        request: HttpRequest,
        secret: str,
        endpoint: Endpoint | None,
        tenant: Tenant | None = None,
    ) -> HttpResponse:
        """It follows no redirect, so nothing has to keep the secret in between; and like every page
        of the admin no cache keeps it."""
        once.use(request)
        context = {"endpoint": endpoint, "tenant": tenant, "secret": secret}
        return self.shown(request, "secret", title="Signing secret", **context)
