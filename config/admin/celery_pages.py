"""Celery's own pages (periodic tasks, task results) in the look of the others, for platform admins.

They are what their packages made them; only the base class and the form's fields are exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from celery import current_app
from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat import models as beat_models
from django_celery_results import admin as results
from django_celery_results import models as results_models
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.admin.base import PlatformOnly


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
    form = PeriodicTaskForm
    celery_app = Application()


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
