"""Celery's own pages (periodic tasks, task results) in the look of the others, for platform admins.

They are what their packages made them; only the base class and the form's fields are exchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from celery import current_app
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django_celery_beat import admin as beat
from django_celery_beat import models as beat_models
from django_celery_results import admin as results
from django_celery_results import models as results_models
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin.base import PlatformOnly
from accounts.admin.display import NONE
from scheduling.beat_rows import TASK

Rows = QuerySet[beat_models.PeriodicTask]


class Application:
    """Our Celery application without its loader, which would install the engine's worker in the
    web process. Plain tasks are known here anyway; job types are none, and have schedules."""

    loader = SimpleNamespace(import_default_modules=lambda: None)

    @property
    def tasks(self) -> Mapping[str, Any]:
        tasks: Mapping[str, Any] = current_app.tasks
        return tasks


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]  # both untyped
    """Looks like the one, offers what the other finds."""

    celery_app = Application()


class PeriodicTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]  # untyped
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()


class PeriodicTaskInline(TabularInline):  # type: ignore[misc]  # untyped
    model = beat_models.PeriodicTask
    fields = readonly_fields = ("name", "task", "args", "kwargs")
    verbose_name_plural = "Periodic tasks with this schedule"
    can_delete = False
    extra = 0
    show_change_link = True

    def has_add_permission(self, request: Any, obj: Any = None) -> bool:
        return False


class Page(PlatformOnly, ModelAdmin):  # type: ignore[misc]  # untyped
    list_per_page = 50


class PeriodicTaskPage(Page, beat.PeriodicTaskAdmin):  # type: ignore[misc]  # untyped
    """A row that stands for a schedule is only shown: it is changed on the schedule's page."""

    form = PeriodicTaskForm
    celery_app = Application()
    change_form_template = "celeriac/periodic_task_form.html"
    change_form_outer_before_template = "celeriac/periodic_task.html"

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return (*super().get_list_display(request), "schedule_of")

    @admin.display(description="crontab in words")
    def crontab_translation(self, task: beat_models.PeriodicTask) -> str:
        """Where a script writes it anew when another crontab is chosen."""
        words = task.crontab.human_readable if task.crontab else ""
        return format_html("<span data-crontab-in-words>{}</span>", words)

    @admin.display(description="our schedule")
    def schedule_of(self, task: beat_models.PeriodicTask) -> str:
        link = link_of(task)
        return format_html('<a href="{}">Open</a>', link) if link else NONE

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj and link_of(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and link_of(obj))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id)) if object_id else None
        context = {**(extra_context or {}), "schedule_link": link_of(row) if row else ""}
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return answer

    @admin.action(description="Enable selected tasks")
    def enable_tasks(self, request: HttpRequest, queryset: Rows) -> None:
        super().enable_tasks(request, self._without_schedules(request, queryset))

    @admin.action(description="Disable selected tasks")
    def disable_tasks(self, request: HttpRequest, queryset: Rows) -> None:
        super().disable_tasks(request, self._without_schedules(request, queryset))

    @admin.action(description="Toggle activity of selected tasks")
    def toggle_tasks(self, request: HttpRequest, queryset: Rows) -> None:
        super().toggle_tasks(request, self._without_schedules(request, queryset))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting in bulk would ask no row for its own permission."""
        actions: dict[str, Any] = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def _without_schedules(self, request: HttpRequest, rows: Rows) -> Rows:
        ours = rows.filter(task=TASK)
        if ours.exists():
            told = "Those that stand for a schedule are left alone: change them on its page."
            self.message_user(request, told, messages.WARNING)
        return rows.exclude(task=TASK)


def link_of(task: beat_models.PeriodicTask) -> str:
    """To the page of the schedule that this row stands for; empty for a row of Celery's own."""
    if task.task != TASK:
        return ""
    try:
        (schedule_id,) = json.loads(task.args)
        return reverse("admin:scheduling_schedule_change", args=[UUID(schedule_id)])
    except (ValueError, TypeError, AttributeError):
        return ""


class ClockedPage(Page, beat.ClockedScheduleAdmin):  # type: ignore[misc]  # untyped
    inlines = [PeriodicTaskInline]


class CrontabPage(Page, beat.CrontabScheduleAdmin):  # type: ignore[misc]  # untyped
    inlines = [PeriodicTaskInline]


class SchedulePage(Page, beat.ScheduleAdmin):  # type: ignore[misc]  # untyped
    inlines = [PeriodicTaskInline]


class TaskResultPage(Page, results.TaskResultAdmin):
    pass


class GroupResultPage(Page, results.GroupResultAdmin):
    pass


for _model, _page in (
    (beat_models.PeriodicTask, PeriodicTaskPage),
    (beat_models.ClockedSchedule, ClockedPage),
    (beat_models.CrontabSchedule, CrontabPage),
    (beat_models.IntervalSchedule, SchedulePage),
    (beat_models.SolarSchedule, SchedulePage),
    (results_models.TaskResult, TaskResultPage),
    (results_models.GroupResult, GroupResultPage),
):
    admin.site.unregister(_model)
    admin.site.register(_model, _page)
