"""Schedules in the admin: a list, a page of each, a form, and audited verbs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import staff_of
from jobs.admin import tenants
from jobs.admin.doing import MOST, sentence
from jobs.admin.ids import as_id
from jobs.admin.verb_pages import VerbPages, sees_several
from scheduling.admin import backfill, form_page
from scheduling.admin.day import day
from scheduling.admin.forms import ScheduleForm
from scheduling.admin.listing import listing
from scheduling.admin.page import page
from scheduling.admin.verbs import VERBS, Verb, do, may_write
from scheduling.admin.ways import list_link, page_link
from scheduling.models import Schedule

_CHOSEN, _CONFIRMED = "schedule", "confirmed"


@admin.register(Schedule)
class ScheduleAdmin(VerbPages):
    audited_as = "schedule"
    add_role = change_role = Role.OPERATOR

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [
            self.way("day/", self.day_view, "day"),
            self.way("preview/", self.preview_view, "preview"),
            self.way("act/<slug:verb>/", self.act_view, "act"),
            self.way("<uuid:schedule_id>/edit/", self.edit_view, "edit"),
            self.way("<uuid:schedule_id>/backfill/", self.backfill_view, "backfill"),
            *urls,
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        rows: QuerySet[Schedule] = super().get_queryset(request)
        return rows.select_related("tenant")

    # --- looking -------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_reading(request)
        context = listing(request, self.get_queryset(request), staff_of(request))
        return self.shown(request, "list", title="Schedules", **context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        self.require_reading(request)
        schedule = self.row(request, object_id)
        context = page(schedule, staff_of(request), request.GET.get("before", ""))
        return self.shown(request, "page", title=schedule.name, **context)

    def day_view(self, request: HttpRequest) -> HttpResponse:
        """The coming day across all schedules."""
        self.require_reading(request)
        context = day(self.get_queryset(request), timezone.now())
        several = sees_several(staff_of(request))
        title = "The coming day"
        return self.shown(request, "day", title=title, several_tenants=several, **context)

    # --- the form ------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ScheduleForm(request.POST or None, tenant=tenants.chosen(request))
        return self._form(request, form, "New schedule", offered=tenants.offered(request))

    def edit_view(self, request: HttpRequest, schedule_id: UUID) -> HttpResponse:
        schedule = self._writable(request, schedule_id)
        if schedule.declared:
            raise PermissionDenied
        form = ScheduleForm(request.POST or None, tenant=schedule.tenant, schedule=schedule)
        return self._form(request, form, schedule.name)

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the rule in the form means, for its script: a part of the page, also where it is
        refused. Nothing is written."""
        if request.method != "POST":
            raise Http404
        if not self.has_add_permission(request):
            raise PermissionDenied
        key = as_id(request.POST.get("schedule", ""))
        schedule = self.get_queryset(request).filter(pk=key).first() if key else None
        context = form_page.preview(tenants.chosen(request), request.POST, schedule)
        return TemplateResponse(request, "scheduling/admin/preview.html", context)

    def _form(
        self, request: HttpRequest, form: ScheduleForm, title: str, offered: Sequence[Tenant] = ()
    ) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.save(self.by(request))
            except Schedule.DoesNotExist:
                return self._gone(request, form.schedule)
            if saved is not None:
                messages.success(request, f"{saved.name} is saved.")
                return HttpResponseRedirect(page_link(saved.pk))
        context = form_page.context(form, offered)
        return self.shown(request, "form", title=title, **context)

    def _gone(self, request: HttpRequest, schedule: Schedule | None) -> HttpResponse:
        messages.error(request, f"{schedule.name if schedule else 'It'} was removed meanwhile.")
        return HttpResponseRedirect(list_link())

    # --- acting --------------------------------------------------------------------------

    def act_view(self, request: HttpRequest, verb: str) -> HttpResponse:
        """Do a verb to the chosen schedules, one or many; a question first where it is asked."""
        if request.method != "POST" or verb not in VERBS:
            raise Http404
        asked, person = VERBS[verb], staff_of(request)
        meant = self._chosen(request, asked)
        if asked.warning and meant and _CONFIRMED not in request.POST:
            way_back = _way_back(request, meant)
            return self.ask(request, asked, meant, chosen=_CHOSEN, way_back=way_back)
        outcome = do(asked, meant, person, self.by(request))
        tell = messages.warning if outcome.refused else messages.success
        tell(request, sentence("schedule", "schedules", asked.done, outcome))
        gone = asked.name == "delete" and outcome.done
        return HttpResponseRedirect(list_link() if gone else _way_back(request, meant))

    def backfill_view(self, request: HttpRequest, schedule_id: UUID) -> HttpResponse:
        """Asked for, it says what it would do; confirmed, for the range that was
        looked at, it does it."""
        schedule = self._writable(request, schedule_id)
        form = backfill.BackfillForm(request.POST or None)
        plan = None
        if request.method == "POST" and form.is_valid():
            confirmed = request.POST.get(_CONFIRMED) == form.looked_at
            try:
                found = form.run(schedule, self.by(request), dry_run=not confirmed)
            except Schedule.DoesNotExist:
                return self._gone(request, schedule)
            if found is not None and confirmed:
                messages.success(request, backfill.sentence(found))
                return HttpResponseRedirect(page_link(schedule.pk))
            plan = None if found is None else backfill.plan_of(found, schedule)
        context = {"schedule": schedule, "form": form, "plan": plan}
        title = f"Fill in runs of {schedule.name}"
        return self.shown(request, "backfill", title=title, **context)

    def _chosen(self, request: HttpRequest, verb: Verb) -> list[Schedule]:
        """Those of the named schedules that this person may see. Who may act on none of them is
        turned away."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        ids = [key for text in request.POST.getlist(_CHOSEN)[:MOST] if (key := as_id(text))]
        found = list(self.get_queryset(request).filter(pk__in=ids))
        if found and not any(verb.allowed(staff_of(request), one) for one in found):
            raise PermissionDenied
        return found

    # --- both ----------------------------------------------------------------------------

    def row(self, request: HttpRequest, row_id: str | UUID) -> Schedule:
        found: Schedule = super().row(request, row_id)
        return found

    def _writable(self, request: HttpRequest, schedule_id: UUID) -> Schedule:
        schedule = self.row(request, schedule_id)
        if not may_write(staff_of(request), schedule):
            raise PermissionDenied
        return schedule


def _way_back(request: HttpRequest, meant: Sequence[Schedule]) -> str:
    """To the schedule's page or to the list, with its filters as they were."""
    if request.POST.get("from") == "page" and len(meant) == 1:
        return page_link(meant[0].pk)
    filters = request.POST.get("back", "")
    return f"{list_link()}?{filters}" if filters else list_link()
