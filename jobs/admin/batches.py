"""Batches in the admin: how far each is, where its jobs are, and two verbs on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.base import ScopedAdmin, address_of
from accounts.roles import Role
from accounts.staff import staff_of
from jobs import batches
from jobs.admin.batch_pages import listing, page
from jobs.models import Batch
from jobs.operations import Actor
from jobs.states import ACTIVE, TRANSITIONS, Status


@dataclass(frozen=True, kw_only=True)
class BatchVerb:
    """`done` completes the sentence “3 jobs …”. `of`: where a job is so, there
    is something to do. `warning`: what is asked before it is done."""

    name: str
    label: str
    done: str
    act: Callable[[Batch, Actor], int]
    of: frozenset[Status]
    warning: str = ""


VERBS = {
    verb.name: verb
    for verb in (
        BatchVerb(
            name="retry", label="Retry what failed", done="queued again", act=batches.retry,
            of=TRANSITIONS["revive"].sources,
        ),
        BatchVerb(
            name="cancel", label="Cancel the batch", done="cancelled or asked to end",
            act=batches.cancel, of=ACTIVE,
            warning="Every job of it that waits ends at once. Those that run are asked to end, and "
            "keep no result.",
        ),
    )
}  # fmt: skip
_CONFIRMED = "confirmed"


@admin.register(Batch)
class BatchAdmin(ScopedAdmin):
    """Batches are handed in by programs and changed by verbs alone; there is no form."""

    audited_as = "batch"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act_view)
        own = [path("<uuid:batch_id>/act/<slug:verb>/", view, name="jobs_batch_act")]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _require_reading(request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = listing(request, self.get_queryset(request), staff_of(request))
        return self._shown(request, "batches", title="Batches", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        _require_reading(request)
        batch = self._batch(request, object_id)
        shown = page(batch)
        there = {status for status, _ in shown["row"].counts}
        verbs = [verb for verb in VERBS.values() if verb.of & there]
        context = {**shown, "verbs": verbs if self._may_act(request, batch) else ()}
        return self._shown(request, "batch", title=batch.name or "Batch", **context)

    def act_view(self, request: HttpRequest, batch_id: UUID, verb: str) -> HttpResponse:
        """By POST only; a question first where it cannot be undone."""
        if request.method != "POST" or verb not in VERBS:
            raise Http404
        batch, asked = self._batch(request, batch_id), VERBS[verb]
        if not self._may_act(request, batch):
            raise PermissionDenied
        way_back = reverse("admin:jobs_batch_change", args=[batch.pk])
        if asked.warning and _CONFIRMED not in request.POST:
            context = {"batch": batch, "verb": asked, "way_back": way_back}
            return self._shown(request, "batch_question", title=f"{asked.label}?", **context)
        by = Actor(name=staff_of(request).actor, address=address_of(request))
        changed = asked.act(batch, by)
        number = "1 job" if changed == 1 else f"{changed} jobs"
        messages.success(request, f"{number} {asked.done}.")
        return HttpResponseRedirect(way_back)

    def _may_act(self, request: HttpRequest, batch: Batch) -> bool:
        return staff_of(request).may(Role.OPERATOR, batch.tenant_id)

    def _batch(self, request: HttpRequest, batch_id: str | UUID) -> Batch:
        """Raises Http404, the same for a malformed, a missing and a foreign id."""
        try:
            key = batch_id if isinstance(batch_id, UUID) else UUID(batch_id)
        except ValueError:
            raise Http404 from None
        rows = batches.with_counts(self.get_queryset(request)).select_related("tenant")
        batch = rows.filter(pk=key).first()
        if batch is None:
            raise Http404
        return batch

    def _shown(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        everywhere = self.admin_site.each_context(request)
        return TemplateResponse(
            request, f"jobs/admin/{template}.html", {**everywhere, "opts": self.opts, **context}
        )


def _require_reading(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
