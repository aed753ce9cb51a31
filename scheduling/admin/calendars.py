"""Calendars in the admin: days on which schedules do not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils import timezone

from accounts.models import Tenant
from accounts.roles import Role
from accounts.staff import staff_of
from jobs.admin import tenants
from jobs.admin.ids import as_id
from jobs.admin.verb_pages import VerbPages, sees_several
from jobs.exceptions import JobsError
from scheduling import calendars
from scheduling.admin.calendar_form import CalendarForm, in_words
from scheduling.admin.ways import page_link
from scheduling.models import Calendar

PAGE = 50
NAMED = 20  # schedules on the page of a calendar
LIST = "admin:scheduling_calendar_changelist"
_CONFIRMED = "confirmed"


@dataclass(frozen=True, kw_only=True)
class Row:
    calendar: Calendar
    link: str
    days: str
    schedules: int


@admin.register(Calendar)
class CalendarAdmin(VerbPages):
    """Changed by verbs alone. The page of one is its form; who may only look cannot save it."""

    audited_as = "calendar"
    add_role = change_role = Role.OPERATOR

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [self.way("<uuid:calendar_id>/remove/", self.remove_view, "remove"), *urls]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require_reading(request)
        context = _listing(self.get_queryset(request), request.GET.get("before", ""))
        several = sees_several(staff_of(request))
        may_add = self.has_add_permission(request)
        return self.shown(
            request, "calendars", title="Calendars", several_tenants=several, may_add=may_add,
            **context,
        )  # fmt: skip

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CalendarForm(request.POST or None, tenant=tenants.chosen(request))
        offered = tenants.offered(request)
        return self._form(request, form, "New calendar", may_write=True, offered=offered)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        calendar = self.row(request, object_id)
        may_write = staff_of(request).may(Role.OPERATOR, calendar.tenant_id)
        if request.method != "GET" and not may_write:
            raise PermissionDenied
        form = CalendarForm(request.POST or None, tenant=calendar.tenant, calendar=calendar)
        return self._form(request, form, calendar.name, may_write=may_write)

    def remove_view(self, request: HttpRequest, calendar_id: UUID) -> HttpResponse:
        """By POST only; a question first."""
        if request.method != "POST":
            raise Http404
        calendar = self.row(request, calendar_id)
        if not staff_of(request).may(Role.OPERATOR, calendar.tenant_id):
            raise PermissionDenied
        if _CONFIRMED not in request.POST:
            title = "Delete the calendar?"
            return self.shown(request, "calendar_question", title=title, calendar=calendar)
        try:
            calendars.delete(calendar, self.by(request))
        except Calendar.DoesNotExist:
            return self._gone(request, calendar)
        except JobsError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(_page(calendar))
        messages.success(request, f"{calendar.name} is deleted.")
        return HttpResponseRedirect(reverse(LIST))

    def _form(
        self,
        request: HttpRequest,
        form: CalendarForm,
        title: str,
        *,
        may_write: bool,
        offered: Sequence[Tenant] = (),
    ) -> HttpResponse:
        if request.method == "POST" and form.is_valid():
            try:
                saved = form.save(self.by(request))
            except Calendar.DoesNotExist:
                return self._gone(request, form.calendar)
            if saved is not None:
                messages.success(request, f"{saved.name} is saved.")
                return HttpResponseRedirect(reverse(LIST))
        return self.shown(
            request, "calendar", title=title, form=form, calendar=form.calendar,
            tenant=form.tenant, tenants=offered if len(offered) > 1 else (), may_write=may_write,
            naming=_naming(form.calendar),
        )  # fmt: skip

    def _gone(self, request: HttpRequest, calendar: Calendar | None) -> HttpResponse:
        messages.error(request, f"{calendar.name if calendar else 'It'} was removed meanwhile.")
        return HttpResponseRedirect(reverse(LIST))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Calendar]:
        rows: QuerySet[Calendar] = super().get_queryset(request)
        return rows.select_related("tenant")


def _listing(rows: QuerySet[Calendar], before: str) -> dict[str, Any]:
    """Newest first; ids sort by time."""
    if key := as_id(before):
        rows = rows.filter(pk__lt=key)
    elif before:
        rows = rows.none()
    found = list(rows.order_by("-pk")[: PAGE + 1])
    shown, today = found[:PAGE], timezone.now().date()
    naming = dict(
        Calendar.objects.filter(pk__in=[one.pk for one in shown])
        .annotate(number=Count("schedules"))
        .values_list("pk", "number")
    )
    older = shown[-1].pk if len(found) > PAGE else None
    return {
        "rows": [
            Row(calendar=one, link=_page(one), days=in_words(one, today), schedules=naming[one.pk])
            for one in shown
        ],
        "older_url": f"?{urlencode({'before': older})}" if older else "",
        "newest_url": reverse(LIST) if before else "",
    }


def _naming(calendar: Calendar | None) -> list[tuple[str, str]]:
    """The schedules that name it, and their pages; not all of very many."""
    if calendar is None:
        return []
    rows = calendar.schedules.order_by("-pk").values_list("pk", "name")
    return [(name, page_link(pk)) for pk, name in rows[:NAMED]]


def _page(calendar: Calendar) -> str:
    return reverse("admin:scheduling_calendar_change", args=[calendar.pk])
