from django.urls import path

from scheduling.api.actions import RunView, ToggleView
from scheduling.api.backfill import BackfillView
from scheduling.api.calendars import CalendarsView, CalendarView
from scheduling.api.firings import FiringsView
from scheduling.api.preview import PreviewView
from scheduling.api.schedules import SchedulesView, ScheduleView
from scheduling.api.timeline import TimelineView

urlpatterns = [
    path("calendars", CalendarsView.as_view()),
    path("calendars/<str:calendar_id>", CalendarView.as_view()),
    path("schedules", SchedulesView.as_view()),
    path("schedules/preview", PreviewView.as_view()),
    path("schedules/timeline", TimelineView.as_view()),
    path("schedules/<str:schedule_id>", ScheduleView.as_view()),
    path("schedules/<str:schedule_id>/backfill", BackfillView.as_view()),
    path("schedules/<str:schedule_id>/firings", FiringsView.as_view()),
    path("schedules/<str:schedule_id>/run", RunView.as_view()),
    path("schedules/<str:schedule_id>/toggle", ToggleView.as_view()),
]
