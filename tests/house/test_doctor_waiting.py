"""The doctor says what holds the job that has waited longest."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models.functions import Now

from accounts.models import Tenant
from config.doctor import waiting
from config.doctor.finding import Level
from jobs.enqueue import enqueue
from jobs.models import Job, Leadership, Pause, Worker
from tests.jobs.kinds import ECHO, QUEUE

pytestmark = pytest.mark.django_db


def _job() -> Job:
    return enqueue(Tenant.objects.get(slug="default"), ECHO, {"x": 1}).job


def _at_work() -> None:
    Leadership.objects.update_or_create(
        duty="dispatcher", defaults={"expires_at": Now() + timedelta(minutes=5)}
    )
    Worker.objects.create(name="w", incarnation=uuid4(), queues=[QUEUE], types=[ECHO], slots=2)


def test_where_no_job_waits_all_is_well() -> None:
    assert waiting.longest().level is Level.OK


def test_a_job_that_waits_for_its_turn_is_named_and_no_fault() -> None:
    _at_work()
    job = _job()
    _job()
    finding = waiting.longest()
    assert finding.level is Level.OK
    assert str(job.pk) in finding.detail


def test_what_holds_the_longest_waiting_job_is_told_with_the_way_out() -> None:
    _at_work()
    job = _job()
    Pause.objects.create(kind="queue", target=QUEUE, reason="moving house", created_by="user:eve")
    Worker.objects.all().delete()
    finding = waiting.longest()
    assert finding.level is Level.NOTE
    assert str(job.pk) in finding.detail
    assert "moving house" in finding.detail
    assert "worker" in finding.way_out.lower()
    assert f"Resume queue {QUEUE}" in finding.way_out
