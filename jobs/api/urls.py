from django.urls import path

from jobs.api.actions import BoostView, CancelView, DiscardView, RetryView, RunNowView
from jobs.api.attempts import AttemptsView
from jobs.api.explain import ExplainView
from jobs.api.files import FilesView, FileView
from jobs.api.job_types import JobTypesView
from jobs.api.jobs import JobsView, JobView
from jobs.api.queues import QueuesView, QueueView
from jobs.api.stats import SeriesView, StatsView
from jobs.api.workers import WorkersView

urlpatterns = [
    path("jobs", JobsView.as_view()),
    path("jobs/<str:job_id>", JobView.as_view()),
    path("jobs/<str:job_id>/attempts", AttemptsView.as_view()),
    path("jobs/<str:job_id>/explain", ExplainView.as_view()),
    path("jobs/<str:job_id>/cancel", CancelView.as_view()),
    path("jobs/<str:job_id>/retry", RetryView.as_view()),
    path("jobs/<str:job_id>/boost", BoostView.as_view()),
    path("jobs/<str:job_id>/run-now", RunNowView.as_view()),
    path("jobs/<str:job_id>/discard", DiscardView.as_view()),
    path("files", FilesView.as_view()),
    path("files/<str:file_id>", FileView.as_view()),
    path("job-types", JobTypesView.as_view()),
    path("queues", QueuesView.as_view()),
    path("queues/<str:name>", QueueView.as_view()),
    path("stats", StatsView.as_view()),
    path("stats/series", SeriesView.as_view()),
    path("workers", WorkersView.as_view()),
]
