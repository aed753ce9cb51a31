from django.urls import path

from jobs.api.actions import BoostView, CancelView, DiscardView, RetryView, RunNowView
from jobs.api.artifacts import ArtifactView
from jobs.api.attempts import AttemptsView
from jobs.api.batches import BatchesView, BatchView, CancelBatchView, RetryBatchView
from jobs.api.bulk import (
    BulkBoostView,
    BulkCancelView,
    BulkDiscardView,
    BulkRetryView,
    BulkStatusView,
)
from jobs.api.events import EventsView, TicketView
from jobs.api.explain import ExplainView
from jobs.api.failures import DiscardFailureView, FailuresView, FailureView, RetryFailureView
from jobs.api.files import FilesView, FileView
from jobs.api.job_types import JobTypesView
from jobs.api.jobs import JobsView, JobView
from jobs.api.logs import LogsView
from jobs.api.pauses import PausesView, PauseView
from jobs.api.queue_actions import PauseQueueView, ResumeQueueView
from jobs.api.queues import QueuesView, QueueView
from jobs.api.stats import SeriesView, StatsView
from jobs.api.worker_actions import (
    PauseWorkerView,
    RestartWorkerView,
    ResumeWorkerView,
    ShutdownWorkerView,
)
from jobs.api.workers import WorkersView
from jobs.api.workflows import (
    CancelWorkflowView,
    RetryWorkflowView,
    WorkflowsView,
    WorkflowView,
)

urlpatterns = [
    path("jobs", JobsView.as_view()),
    path("jobs/bulk/cancel", BulkCancelView.as_view()),
    path("jobs/bulk/retry", BulkRetryView.as_view()),
    path("jobs/bulk/discard", BulkDiscardView.as_view()),
    path("jobs/bulk/boost", BulkBoostView.as_view()),
    path("jobs/bulk/status", BulkStatusView.as_view()),
    path("jobs/<str:job_id>", JobView.as_view()),
    path("jobs/<str:job_id>/attempts", AttemptsView.as_view()),
    path("jobs/<str:job_id>/logs", LogsView.as_view()),
    path("jobs/<str:job_id>/explain", ExplainView.as_view()),
    path("jobs/<str:job_id>/cancel", CancelView.as_view()),
    path("jobs/<str:job_id>/retry", RetryView.as_view()),
    path("jobs/<str:job_id>/boost", BoostView.as_view()),
    path("jobs/<str:job_id>/run-now", RunNowView.as_view()),
    path("jobs/<str:job_id>/discard", DiscardView.as_view()),
    path("artifacts/<str:artifact_id>", ArtifactView.as_view()),
    path("batches", BatchesView.as_view()),
    path("batches/<str:batch_id>", BatchView.as_view()),
    path("batches/<str:batch_id>/cancel", CancelBatchView.as_view()),
    path("batches/<str:batch_id>/retry", RetryBatchView.as_view()),
    path("events", EventsView.as_view()),
    path("events/ticket", TicketView.as_view()),
    path("failures", FailuresView.as_view()),
    path("failures/<str:fingerprint>", FailureView.as_view()),
    path("failures/<str:fingerprint>/retry", RetryFailureView.as_view()),
    path("failures/<str:fingerprint>/discard", DiscardFailureView.as_view()),
    path("files", FilesView.as_view()),
    path("files/<str:file_id>", FileView.as_view()),
    path("job-types", JobTypesView.as_view()),
    path("queues", QueuesView.as_view()),
    path("queues/<str:name>", QueueView.as_view()),
    path("queues/<str:name>/pause", PauseQueueView.as_view()),
    path("queues/<str:name>/resume", ResumeQueueView.as_view()),
    path("pauses", PausesView.as_view()),
    path("pauses/<str:pause_id>", PauseView.as_view()),
    path("stats", StatsView.as_view()),
    path("stats/series", SeriesView.as_view()),
    path("workers", WorkersView.as_view()),
    path("workers/<str:name>/pause", PauseWorkerView.as_view()),
    path("workers/<str:name>/resume", ResumeWorkerView.as_view()),
    path("workers/<str:name>/shutdown", ShutdownWorkerView.as_view()),
    path("workers/<str:name>/restart", RestartWorkerView.as_view()),
    path("workflows", WorkflowsView.as_view()),
    path("workflows/<str:workflow_id>", WorkflowView.as_view()),
    path("workflows/<str:workflow_id>/cancel", CancelWorkflowView.as_view()),
    path("workflows/<str:workflow_id>/retry", RetryWorkflowView.as_view()),
]
