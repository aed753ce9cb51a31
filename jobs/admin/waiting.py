"""Why a job is not running, or what is odd about its run, and the way to what that names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from django.urls import reverse

from jobs.admin.telling import Moment, moment
from jobs.explain import Code, Explanation, Reason, explain
from jobs.models import Job
from jobs.states import WAITING, Status


@dataclass(frozen=True, kw_only=True)
class Because:
    text: str
    until: Moment | None = None
    link: str = ""
    remedy: str = ""


def because(job: Job, now: datetime) -> list[Because]:
    """Nothing for a job that has ended or simply runs."""
    if job.status == Status.PROCESSING:
        return _running(job, now)
    if job.status not in WAITING:
        return []
    found = explain(job, now)
    told = list(dict.fromkeys(_told(reason, now) for reason in found.reasons))
    told += _start(found, now)
    if job.dispatched_at is not None:
        sent = moment(job.dispatched_at, now)
        told.append(Because(text="It was sent to the workers; one takes it next", until=sent))
    return told or [Because(text="It is next: a worker takes it as soon as one is free.")]


def _start(found: Explanation, now: datetime) -> list[Because]:
    """When it is likely to start, where it does not start at once."""
    if found.expected_start_at is None or found.expected_start_at <= now:
        return []
    return [Because(text="It is likely to start", until=moment(found.expected_start_at, now))]


def _running(job: Job, now: datetime) -> list[Because]:
    told = []
    if job.cancel_requested_at is not None:
        asked = moment(job.cancel_requested_at, now)
        told.append(Because(text="It was asked to end", until=asked))
    if job.lease_expires_at is not None and job.lease_expires_at < now:
        over = moment(job.lease_expires_at, now)
        told.append(Because(text="Its worker is silent: its lease ran out", until=over))
    return told


def _told(reason: Reason, now: datetime) -> Because:
    """A job that it waits for is shown with its dependencies, so those are one sentence."""
    link = "" if reason.code == Code.BLOCKED else _link(reason.object or "")
    return Because(
        text=reason.detail, until=moment(reason.until, now), link=link, remedy=reason.remedy
    )


_PAGES = ("job", "worker", "queue")


def _link(named: str) -> str:
    """`job:ID`, `worker:NAME` and `queue:NAME` have pages here."""
    kind, _, key = named.partition(":")
    if kind not in _PAGES or not key:
        return ""
    return reverse("admin:index") + f"jobs/{kind}/{quote(key, safe='')}/change/"
