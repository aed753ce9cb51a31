"""Workflows in the admin: how each stands, its steps, and two verbs on the whole."""

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
from jobs.admin.workflow_pages import listing, page
from jobs.exceptions import JobsError
from jobs.models import Workflow
from jobs.operations import Actor
from jobs.states import ACTIVE, TRANSITIONS, Status
from jobs.workflows import acting


@dataclass(frozen=True, kw_only=True)
class WorkflowVerb:
    """`act` returns what is told to the person. `of`: where a step is so, there is something to
    do. `warning`: what is asked before it is done."""

    name: str
    label: str
    act: Callable[[Workflow, Actor], str]
    of: frozenset[Status]
    warning: str = ""


def _cancel(workflow: Workflow, by: Actor) -> str:
    return f"{_number(acting.cancel(workflow, by))} cancelled or asked to end."


def _retry(workflow: Workflow, by: Actor) -> str:
    done = acting.retry(workflow, by)
    told = f"{_number(done.changed)} queued or waiting again."
    return f"{told} {_number(len(done.refused))} left alone." if done.refused else told


def _number(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps} steps"


VERBS = {
    verb.name: verb
    for verb in (
        WorkflowVerb(
            name="retry", label="Retry from the failed step", act=_retry,
            of=TRANSITIONS["revive"].sources,
        ),
        WorkflowVerb(
            name="cancel", label="Cancel the workflow", act=_cancel, of=ACTIVE,
            warning="Every step that waits ends at once. Those that run are asked to end, and keep "
            "no result.",
        ),
    )
}  # fmt: skip
_CONFIRMED = "confirmed"


@admin.register(Workflow)
class WorkflowAdmin(ScopedAdmin):
    """Workflows are handed in by programs and changed by verbs alone; there is no form."""

    audited_as = "workflow"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act_view)
        own = [path("<uuid:workflow_id>/act/<slug:verb>/", view, name="jobs_workflow_act")]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        _require_reading(request)
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = listing(request, self.get_queryset(request), staff_of(request))
        return self._shown(request, "workflows", title="Workflows", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        _require_reading(request)
        workflow = self._workflow(request, object_id)
        shown = page(workflow)
        there = {status for status, _ in shown["row"].counts}
        verbs = [verb for verb in VERBS.values() if verb.of & there]
        context = {**shown, "verbs": verbs if self._may_act(request, workflow) else ()}
        return self._shown(request, "workflow", title=workflow.name or "Workflow", **context)

    def act_view(self, request: HttpRequest, workflow_id: UUID, verb: str) -> HttpResponse:
        """By POST only; a question first where it cannot be undone."""
        if request.method != "POST" or verb not in VERBS:
            raise Http404
        workflow, asked = self._workflow(request, workflow_id), VERBS[verb]
        if not self._may_act(request, workflow):
            raise PermissionDenied
        way_back = reverse("admin:jobs_workflow_change", args=[workflow.pk])
        if asked.warning and _CONFIRMED not in request.POST:
            context = {"workflow": workflow, "verb": asked, "way_back": way_back}
            return self._shown(request, "workflow_question", title=f"{asked.label}?", **context)
        by = Actor(name=staff_of(request).actor, address=address_of(request))
        try:
            messages.success(request, asked.act(workflow, by))
        except JobsError as error:
            messages.error(request, str(error))
        return HttpResponseRedirect(way_back)

    def _may_act(self, request: HttpRequest, workflow: Workflow) -> bool:
        return staff_of(request).may(Role.OPERATOR, workflow.tenant_id)

    def _workflow(self, request: HttpRequest, workflow_id: str | UUID) -> Workflow:
        """Raises Http404, the same for a malformed, a missing and a foreign id."""
        try:
            key = workflow_id if isinstance(workflow_id, UUID) else UUID(workflow_id)
        except ValueError:
            raise Http404 from None
        rows = self.get_queryset(request).select_related("tenant")
        workflow: Workflow | None = rows.filter(pk=key).first()
        if workflow is None:
            raise Http404
        return workflow

    def _shown(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        everywhere = self.admin_site.each_context(request)
        return TemplateResponse(
            request, f"jobs/admin/{template}.html", {**everywhere, "opts": self.opts, **context}
        )


def _require_reading(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise PermissionDenied
