"""The doctor says which schedules do not fire, or did not in time, and what to do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Tenant
from config.doctor import recurring
from config.doctor.finding import Level
from scheduling.models import Firing, Schedule
from tests.scheduling.making import made

pytestmark = pytest.mark.django_db


def _made(name: str) -> Schedule:
    return made(Tenant.objects.get(slug="default"), name=name)


def test_where_all_fire_in_time_all_is_well() -> None:
    _made("nightly")
    assert recurring.schedules().level is Level.OK


def test_one_that_nobody_fires_is_a_failure_with_the_program_to_start() -> None:
    _made("nightly")
    Schedule.objects.update(next_moment=timezone.now() - timedelta(minutes=5))
    finding = recurring.schedules()
    assert finding.level is Level.FAIL
    assert "1 schedule overdue: nightly" in finding.detail
    assert "beat" in finding.way_out


def test_missed_runs_are_a_warning_that_names_the_first_schedules() -> None:
    for number in range(7):
        firing = Firing(schedule=_made(f"number {number}"), decision="refused")
        firing.moment = firing.decided_at = timezone.now() - timedelta(minutes=number)
        firing.save()
    finding = recurring.schedules()
    assert finding.level is Level.WARN
    assert "7 schedules" in finding.detail
    assert "number 0 (1)" in finding.detail
    assert "and 2 more" in finding.detail
    assert "Backfill" in finding.way_out


def test_a_name_does_nothing_to_the_terminal_that_shows_it() -> None:
    schedule = _made("nightly")
    Schedule.objects.filter(pk=schedule.pk).update(
        name="a\x1b[2Jb\nc", next_moment=timezone.now() - timedelta(minutes=5)
    )
    detail = recurring.schedules().detail
    assert "\x1b" not in detail
    assert "\n" not in detail
