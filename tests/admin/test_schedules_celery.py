"""Celery's page of periodic tasks: rows that stand for a schedule are shown and lead to it."""

from __future__ import annotations

import pytest
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from accounts.models import Tenant
from scheduling.models import Schedule
from tests.admin.conftest import SUPERUSER, Browser
from tests.admin.jobs_around import text_of
from tests.scheduling.making import made

TASKS = "/admin/django_celery_beat/periodictask/"


@pytest.fixture
def client(browser: Browser) -> Client:
    return browser(SUPERUSER)


def page_of(task: PeriodicTask | None) -> str:
    assert task is not None
    return f"{TASKS}{task.pk}/change/"


def plain_task() -> PeriodicTask:
    minute = IntervalSchedule.objects.create(every=1, period="minutes")
    return PeriodicTask.objects.create(name="plain", task="somebody.elses", interval=minute)


def test_a_row_of_ours_leads_to_its_schedule_and_has_no_form(acme: Tenant, client: Client) -> None:
    schedule = made(acme)
    link = f'href="/admin/scheduling/schedule/{schedule.pk}/change/"'
    assert link in text_of(client.get(TASKS))
    text = text_of(client.get(page_of(schedule.periodic_task)))
    assert link in text
    assert 'name="_save"' not in text
    assert client.post(page_of(schedule.periodic_task), {"name": "another"}).status_code == 403
    deleting = page_of(schedule.periodic_task).replace("change", "delete")
    assert client.post(deleting, {"post": "yes"}).status_code == 403
    assert PeriodicTask.objects.filter(pk=schedule.periodic_task_id).exists()


def test_a_row_of_celerys_own_is_changed_as_ever(acme: Tenant, client: Client) -> None:
    text = text_of(client.get(page_of(plain_task())))
    assert 'name="_save"' in text
    assert "data-schedule-link" not in text


@pytest.mark.parametrize("action", ["disable_tasks", "toggle_tasks", "enable_tasks"])
def test_switching_in_bulk_leaves_those_of_schedules_alone(
    action: str, acme: Tenant, client: Client
) -> None:
    ours, plain = made(acme).periodic_task, plain_task()
    assert ours is not None
    PeriodicTask.objects.update(enabled=action != "enable_tasks")
    before = ours.enabled if action != "enable_tasks" else False
    chosen = [str(ours.pk), str(plain.pk)]
    answer = client.post(TASKS, {"action": action, "_selected_action": chosen}, follow=True)
    assert "left alone" in text_of(answer)
    ours.refresh_from_db()
    plain.refresh_from_db()
    assert (ours.enabled, plain.enabled) == (before, action == "enable_tasks")
    assert Schedule.objects.get().enabled
