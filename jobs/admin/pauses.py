"""Pauses in the admin: what is held back and was, by whom and why; ended and added here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from unfold.decorators import display

from accounts.admin.base import ScopedAdmin, address_of
from accounts.admin.display import NONE, ago
from accounts.roles import Role
from accounts.staff import staff_of
from jobs.admin.policy_forms import NewPauseForm
from jobs.models import Pause, PauseKind
from jobs.operations import Actor
from jobs.policies import pausing

_COLOURS = {"in force": "warning", "over": "info"}
_LIST = "admin:jobs_pause_changelist"
_NAMES = frozenset({"created_by", "ended_by"})


@admin.register(Pause)
class PauseAdmin(ScopedAdmin):
    """Members see what holds back jobs of theirs; platform admins pause and resume."""

    tenant_path = None
    add_role = Role.ADMIN  # of the platform
    audited_as = "pause"
    list_display = ("what", "state", "reason", "lasts", "begun", "created_by", "over", "ended_by")
    list_filter = ("kind",)
    list_select_related = ("tenant",)
    search_fields = ("target", "reason")
    search_help_text = "Queue, type, tenant, key or reason"
    ordering = ("-pk",)
    actions = ("resume_selected",)
    change_form_outer_after_template = "admin/jobs/pause/resume.html"

    class Media:
        css = {"all": ["accounts/access.css"]}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pause]:
        rows: QuerySet[Pause] = super().get_queryset(request)
        mine = staff_of(request).tenants(Role.VIEWER)
        if mine is None:
            return rows
        return rows.filter(Q(kind__in=[PauseKind.QUEUE, PauseKind.TYPE]) | Q(tenant__in=mine))

    @admin.display(description="what", ordering="target")
    def what(self, pause: Pause) -> str:
        of = f" of {pause.tenant}" if pause.kind == PauseKind.KEY else ""
        return f"{pause.kind} {pause.target}{of}"

    @display(description="state", label=_COLOURS)  # type: ignore[untyped-decorator]  # unfold's
    def state(self, pause: Pause) -> str:
        return "in force" if _is_in_force(pause) else "over"

    @admin.display(description="until", ordering="until")
    def lasts(self, pause: Pause) -> str:
        return ago(pause.until, "resumed")

    @admin.display(description="since", ordering="created_at")
    def begun(self, pause: Pause) -> str:
        return ago(pause.created_at)

    @admin.display(description="ended")
    def over(self, pause: Pause) -> str:
        return NONE if _is_in_force(pause) else ago(pause.ended_at or pause.until)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        """Who paused and who resumed is for platform admins."""
        named = staff_of(request).everywhere
        return tuple(name for name in self.list_display if named or name not in _NAMES)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if obj is None:
            return ("kind", "target", "tenant", "reason", "until")
        return self.get_list_display(request)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm[Pause]]:
        chosen = kwargs if change else {**kwargs, "form": NewPauseForm}
        form: type[ModelForm[Pause]] = super().get_form(request, obj, change, **chosen)
        return form

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        one_button = {"show_save_and_add_another": False, "show_save_and_continue": False}
        answer: HttpResponse = super().add_view(request, form_url, one_button)
        return answer

    def save_model(
        self, request: HttpRequest, obj: Pause, form: ModelForm[Pause], change: bool
    ) -> None:
        given = form.cleaned_data
        made, _ = pausing.pause(
            PauseKind(given["kind"]),
            given["target"],
            _actor(request),
            tenant=given["tenant"],
            reason=given["reason"],
            until=given["until"],
        )
        obj.pk, obj.kind, obj.target = made.pk, made.kind, made.target

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.resume_view)
        return [
            path("<path:object_id>/resume/", view, name="jobs_pause_resume"),
            *super().get_urls(),
        ]

    def resume_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """By POST only."""
        if not self.has_resume_permission(request):
            raise PermissionDenied
        pause = self.get_object(request, unquote(object_id))
        if pause is None or request.method != "POST":
            raise Http404
        self._resume(request, [pause])
        return HttpResponseRedirect(reverse(_LIST))

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return staff_of(request).everywhere

    @admin.action(description="Resume", permissions=["resume"])
    def resume_selected(self, request: HttpRequest, queryset: QuerySet[Pause]) -> None:
        self._resume(request, list(queryset))

    def _resume(self, request: HttpRequest, pauses: list[Pause]) -> None:
        ended = sum(pausing.end(pause, _actor(request)) for pause in pauses)
        told = f"{ended} {'pause' if ended == 1 else 'pauses'} ended."
        self.message_user(request, told, messages.SUCCESS)


def _actor(request: HttpRequest) -> Actor:
    return Actor(name=staff_of(request).actor, address=address_of(request))


def _is_in_force(pause: Pause) -> bool:
    return pause.ended_at is None and (pause.until is None or pause.until > timezone.now())
