"""The page of one job: everything about it that this person may see, each part bounded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from accounts.roles import Role
from accounts.staff import Staff
from jobs.admin.beside import beside
from jobs.admin.failures import alike, link_to
from jobs.admin.history import error_of, history
from jobs.admin.left import left_behind
from jobs.admin.listing import list_link, page_link
from jobs.admin.readable import readable
from jobs.admin.telling import Moment, duration, moment, run_time, short_id
from jobs.admin.verbs import BOOST, offered
from jobs.admin.waiting import because
from jobs.effective import priority_of
from jobs.models import Dependency, Job, LogLine
from jobs.priorities import level_of
from jobs.retention import has_expired, result_of
from jobs.states import Status
from jobs.webhook_url import outcome

MOST_EDGES = 50
MOST_ENTRIES = 50
MOST_LINES = 100


@dataclass(frozen=True, kw_only=True)
class Fact:
    name: str
    text: str = ""
    at: Moment | None = None
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Another job that this one waits for, or that waits for this one."""

    job: Job
    link: str
    short_id: str
    on_failure: str


@dataclass(frozen=True, kw_only=True)
class Edges:
    title: str
    edges: Sequence[Edge]
    more: bool


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An audit entry about the job."""

    at: Moment | None
    actor: str
    action: str
    change: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that the job logged."""

    at: Moment | None
    attempt: int
    level: str
    message: str


def live(job: Job) -> dict[str, Any]:
    """What changes while the job lives, as its part of the page shows it."""
    now = timezone.now()
    return {
        "job": job,
        "because": because(job, now),
        "took": run_time(job, now),
        "expected": duration(job.estimated_duration_seconds),
    }


def page(job: Job, person: Staff) -> dict[str, Any]:
    """What the page's template shows."""
    now = timezone.now()
    is_admin = person.may(Role.ADMIN, job.tenant_id)
    return {
        **live(job),
        "short_id": short_id(job.pk),
        "several_tenants": person.everywhere or len(person.roles) > 1,
        "verbs": offered(person, job),
        "boost": BOOST,
        "payload": readable(job.payload),
        "result": readable(result_of(job)),
        "has_result": job.result is not None,
        "result_has_expired": has_expired(job),
        **left_behind(job),
        "error": error_of(job.error, with_traceback=is_admin),
        "events": history(job, now, with_tracebacks=is_admin),
        "lines": _lines(job, now),
        "most_lines": MOST_LINES,
        "beside": beside(job, now),
        "edges": [edges for edges in (_waits_for(job), _waited_for(job)) if edges.edges],
        "facts": list(_facts(job, now, person)),
        "labels": [
            (f"{key}: {value}", list_link(q=f"label:{key}:{value}"))
            for key, value in job.labels.items()
        ],
        "entries": _entries(job, now) if is_admin else None,
    }


def _waits_for(job: Job) -> Edges:
    rows = job.dependencies.select_related("depends_on").order_by("pk")
    return _edges("Waits for", rows, "depends_on", job)


def _waited_for(job: Job) -> Edges:
    rows = job.dependants.select_related("job").order_by("pk")
    return _edges("Waited for by", rows, "job", job)


def _edges(title: str, rows: QuerySet[Dependency], end: str, job: Job) -> Edges:
    """Of one tenant: an edge never leads out of it, and neither does the page."""
    narrowed = rows.filter(**{f"{end}__tenant": job.tenant_id})
    named = narrowed.only(
        "on_failure", "job", "depends_on", *(f"{end}__{name}" for name in ("id", "type", "status"))
    )
    found = list(named[: MOST_EDGES + 1])
    others = [(getattr(row, end), row.on_failure) for row in found[:MOST_EDGES]]
    return Edges(
        title=title,
        edges=[
            Edge(job=other, link=page_link(other), short_id=short_id(other.pk), on_failure=rule)
            for other, rule in others
        ],
        more=len(found) > MOST_EDGES,
    )


def _facts(job: Job, now: datetime, person: Staff) -> Iterable[Fact]:
    """Only those that say something. A table, hence its length."""
    yield Fact(name="Queue", text=job.queue_id, link=_other("queue", job.queue_id))
    yield Fact(name="Priority", text=_priority(job, now))
    yield Fact(name="Attempts", text=_attempts(job))
    yield Fact(name="Retries", text=f"{job.retry_count} of {job.max_retries}")
    if job.crash_count:
        yield Fact(name="Workers lost", text=str(job.crash_count))
    yield Fact(name="Time limit", text=duration(job.timeout_seconds))
    if job.worker:
        yield Fact(name="Worker", text=job.worker, link=_other("worker", job.worker))
    if job.status == Status.PROCESSING:
        yield Fact(name="Lease until", at=moment(job.lease_expires_at, now))
    yield Fact(name="Expected to take", text=duration(job.estimated_duration_seconds))
    yield Fact(name="Took", text=duration(job.actual_duration_seconds))
    yield Fact(name="Start asked for", at=moment(job.run_at, now))
    yield Fact(name="Not started after", at=moment(job.expires_at, now))
    yield Fact(name="Unique key", text=job.unique_key, link=list_link(q=f"key:{job.unique_key}"))
    yield Fact(name="Owner", text=job.owner, link=list_link(q=f"owner:{job.owner}"))
    if job.webhook_url:
        yield Fact(name="Webhook", text=_webhook(job), link=_web_link(job.webhook_url))
    if job.status == Status.FAILED and (others := alike(job)):
        yield Fact(name="Failed alike", text=f"{others} others", link=link_to(job))
    yield Fact(name="Created", at=moment(job.created_at, now))
    yield Fact(name="Created by", text=job.created_by)
    if person.everywhere and (task := _task_id(job)):
        link = f"{settings.FLOWER_PUBLIC_URL.rstrip('/')}/task/{quote(task)}"
        yield Fact(name="Celery task", text="Open in Flower", link=link)


def _priority(job: Job, now: datetime) -> str:
    priority = priority_of(job, now)
    asked = f", asked for {job.base_priority}" if priority != job.base_priority else ""
    return f"{priority} ({level_of(priority)}){asked}"


def _attempts(job: Job) -> str:
    return f"{job.attempt}, in run {job.run}" if job.run > 1 else str(job.attempt)


def _webhook(job: Job) -> str:
    told = outcome(delivered=job.webhook_delivered, attempts=job.webhook_attempts)
    return f"{job.webhook_url}, {told}"


def _web_link(url: str) -> str:
    """The URL where a browser may follow it, as it may no `javascript:`."""
    return url if url.lower().startswith(("http://", "https://")) else ""


def _task_id(job: Job) -> str:
    """Of the message that the job was started by, where the row still tells: the fence that was
    sent with it."""
    if job.status == Status.PROCESSING:
        return f"{job.pk}:{job.fence}"
    if job.status == Status.COMPLETED:  # leaving `processing` has added one
        return f"{job.pk}:{job.fence - 1}"
    return ""


def _other(model: str, key: str) -> str:
    return reverse(f"admin:jobs_{model}_change", args=[key])


def _entries(job: Job, now: datetime) -> list[Entry]:
    rows = AuditEntry.objects.filter(object_type="job", object_id=str(job.pk)).order_by("-pk")
    return [
        Entry(
            at=moment(row.at, now),
            actor=row.actor,
            action=row.action.removeprefix("job."),
            change=_change(row),
        )
        for row in rows[:MOST_ENTRIES]
    ]


def _lines(job: Job, now: datetime) -> list[Line]:
    """The last ones, oldest first."""
    rows = LogLine.objects.filter(job=job.pk).order_by("-pk")[:MOST_LINES]
    return [
        Line(at=moment(row.at, now), attempt=row.attempt, level=row.level, message=row.message)
        for row in reversed(rows)
    ]


def _change(entry: AuditEntry) -> str:
    """The fields that differ: `status: failed → queued`."""
    before, after = entry.before or {}, entry.after or {}
    return ", ".join(
        f"{name}: {before.get(name, '–')} → {value}"
        for name, value in after.items()
        if before.get(name) != value
    )
