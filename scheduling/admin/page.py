"""The page of one schedule: what it is, when it runs next, and what became of each run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.staff import Staff
from jobs import wording
from jobs.admin.readable import readable
from jobs.admin.telling import Moment, moment
from jobs.models import Job
from scheduling import timing
from scheduling.admin.strip import outcome_of, strips
from scheduling.admin.telling import When, when
from scheduling.admin.verbs import may_write, offered
from scheduling.admin.ways import page_link
from scheduling.models import Firing, Schedule
from scheduling.policies import Misfire, Overlap

NEXT = 5
PAGE = 25


@dataclass(frozen=True, kw_only=True)
class Fact:
    name: str
    text: str = ""
    at: Moment | None = None
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row of the history. Without a moment it was run by hand. `until`: it stands for more."""

    at: When | None
    until: When | None
    decided: Moment | None
    outcome: str
    reason: str
    late: str
    by: str
    job_link: str


def page(schedule: Schedule, person: Staff, before: str) -> dict[str, Any]:
    """What the page's template shows. `before`: where the page of history before it ended."""
    now = timezone.now()
    runs, older = _history(schedule, before, now)
    is_left_out = timing.left_out_by(schedule.calendars.all(), schedule.timezone)
    coming = islice(timing.runs_from(schedule, schedule.next_moment, is_left_out), NEXT)
    return {
        "schedule": schedule,
        "in_words": timing.words_of(schedule.cron_expression),
        "marks": strips([schedule])[schedule.pk],
        "coming": [when(at, schedule.timezone, now) for at in coming],
        "verbs": offered(person, schedule),
        "may_write": may_write(person, schedule),
        "may_edit": may_write(person, schedule) and not schedule.declared,
        "several_tenants": person.everywhere or len(person.roles) > 1,
        "payload": readable(schedule.payload),
        "facts": [fact for fact in _facts(schedule, now) if fact.text or fact.at],
        "labels": list(schedule.labels.items()),
        "runs": runs,
        "older_url": f"?before={older}" if older else "",
        "newest_url": page_link(schedule.pk) if before else "",
        "jobs_link": f"{reverse('admin:jobs_job_changelist')}?type={schedule.type}",
    }


def _history(schedule: Schedule, before: str, now: datetime) -> tuple[Sequence[Run], str]:
    """Newest first, and where to go on."""
    rows = schedule.firings.order_by("-pk")
    try:
        rows = rows.filter(pk__lt=UUID(before)) if before else rows
    except ValueError:
        return [], ""
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    jobs = dict(
        Job.objects.filter(
            tenant=schedule.tenant_id, pk__in=[row.job_id for row in shown if row.job_id]
        ).values_list("pk", "status")
    )
    runs = [_run(row, schedule.timezone, jobs, now) for row in shown]
    return runs, str(shown[-1].pk) if len(found) > PAGE else ""


def _run(row: Firing, zone: str, jobs: dict[UUID, str], now: datetime) -> Run:
    status = jobs.get(row.job_id) if row.job_id else None
    is_late = row.late_seconds > settings.SCHEDULE_GRACE_SECONDS and row.moment is not None
    return Run(
        at=when(row.moment, zone, now),
        until=when(row.until, zone, now),
        decided=moment(row.decided_at, now),
        outcome=outcome_of(row.decision, status),
        reason=row.reason,
        late=f"{wording.roughly(row.late_seconds)} late" if is_late else "",
        by=row.by,
        job_link=reverse("admin:jobs_job_change", args=[row.job_id]) if status else "",
    )


def _facts(schedule: Schedule, now: datetime) -> Iterable[Fact]:
    """A table, hence its length."""
    yield Fact(name="Rule", text=schedule.cron_expression)
    yield Fact(name="Time zone", text=schedule.timezone)
    yield Fact(name="Summer time", text=schedule.dst_policy)
    yield Fact(name="Starts", at=moment(schedule.starts_at, now))
    yield Fact(name="Ends", at=moment(schedule.ends_at, now))
    names = ", ".join(one.name for one in schedule.calendars.all())
    link = reverse("admin:scheduling_calendar_changelist")
    yield Fact(name="Not on days of", text=names, link=link)
    if schedule.jitter_seconds:
        yield Fact(name="Spread over", text=wording.span(schedule.jitter_seconds))
    yield Fact(name="If one still runs", text=Overlap(schedule.overlap).label)
    yield Fact(name="If time was missed", text=_misfire(schedule))
    yield Fact(name="Queue", text=schedule.queue)
    if schedule.priority is not None:
        yield Fact(name="Priority", text=str(schedule.priority))
    if schedule.max_retries is not None:
        yield Fact(name="Retries", text=str(schedule.max_retries))
    if schedule.timeout_seconds is not None:
        yield Fact(name="Time limit", text=wording.duration(schedule.timeout_seconds))
    yield Fact(name="Webhook", text=schedule.webhook_url)
    yield Fact(name="Owner", text=schedule.owner)
    yield Fact(name="Last run", at=moment(schedule.last_run_at, now))
    yield Fact(name="Created", at=moment(schedule.created_at, now))
    yield Fact(name="Created by", text=schedule.created_by)
    yield Fact(name="Changed", at=moment(schedule.updated_at, now))


def _misfire(schedule: Schedule) -> str:
    words = str(Misfire(schedule.misfire).label)
    if schedule.misfire == Misfire.RUN_ALL:
        return f"{words} of {schedule.misfire_limit}"
    return words
