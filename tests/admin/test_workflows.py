"""Workflows in the admin: the list, the page with its steps, and the two verbs."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Tenant
from accounts.roles import Role
from jobs import lifecycle
from jobs.models import Job, Workflow
from jobs.workflows import Step, behind, chain, hand_in
from tests.admin.conftest import ANONYMOUS, KINDS, PLAIN, STAFF, SUPERUSER, Browser
from tests.admin.jobs_around import queues, text_of
from tests.api import kinds
from tests.jobs.making import ERROR

WORKFLOWS = "/admin/jobs/workflow/"


@pytest.fixture(autouse=True)
def _queues(db: None) -> None:
    queues()


def made(tenant: Tenant, name: str = "a report", wide: int = 2) -> Workflow:
    step = Step(type_name=kinds.report.name, payload={"report_id": 1})
    steps = chain({"fetch": step, "parse": step})
    return hand_in(
        tenant, name, {**steps, **behind({f"p{n}": step for n in range(wide)}, "parse")}
    ).workflow


def fail(workflow: Workflow) -> None:
    lifecycle.force_fail(Job.objects.get(workflow=workflow, step="fetch").pk, error=ERROR)


def page_of(workflow: Workflow) -> str:
    return f"{WORKFLOWS}{workflow.pk}/change/"


def act(client: Client, workflow: Workflow, verb: str, **fields: str) -> int:
    return client.post(f"{WORKFLOWS}{workflow.pk}/act/{verb}/", fields).status_code


def statuses(workflow: Workflow) -> set[str]:
    return set(Job.objects.filter(workflow=workflow).values_list("status", flat=True))


def test_the_list_shows_ones_own_workflows_newest_first_and_goes_on(
    acme: Tenant, other: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.admin.workflow_pages.PAGE", 2)
    found = [made(acme, f"number {number}") for number in range(3)]
    made(other, "somebody else's")
    viewer = browser(Role.VIEWER)
    text = text_of(viewer.get(WORKFLOWS))
    assert "number 2" in text
    assert "number 0" not in text
    assert "somebody else" not in text
    assert "number 0" in text_of(viewer.get(f"{WORKFLOWS}?before={found[1].pk}"))
    assert "somebody else" in text_of(browser(SUPERUSER).get(WORKFLOWS))


def test_the_page_shows_each_step_with_what_it_waits_for(acme: Tenant, browser: Browser) -> None:
    workflow = made(acme)
    text = text_of(browser(Role.VIEWER).get(page_of(workflow)))
    assert 'data-workflow-status="running"' in text
    places = [text.index(f'data-step="{step}"') for step in ("fetch", "parse", "p0", "p1")]
    assert places == sorted(places)
    assert str(Job.objects.get(step="parse").pk) in text


def test_of_a_large_workflow_the_page_shows_a_part_with_what_failed(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.admin.workflow_pages.MOST_SHOWN", 3)
    workflow = made(acme, wide=6)
    last = Job.objects.get(workflow=workflow, step="p5")
    lifecycle.force_fail(last.pk, error=ERROR)
    text = text_of(browser(Role.VIEWER).get(page_of(workflow)))
    assert text.count("data-step=") == 3
    assert 'data-step="p5"' in text
    assert "data-workflow-hidden>5 more" in text


def test_of_a_large_workflow_only_what_the_shown_steps_wait_for_is_read(
    acme: Tenant, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.admin.workflow_pages.MOST_SHOWN", 3)
    monkeypatch.setattr("jobs.workflows.looking.MOST_EDGES", 2)
    viewer = browser(Role.VIEWER)
    assert "too much to show" not in text_of(viewer.get(page_of(made(acme, wide=6))))
    monkeypatch.setattr("jobs.workflows.looking.MOST_EDGES", 1)
    assert "too much to show" in text_of(viewer.get(page_of(made(acme, wide=6))))


def test_a_button_is_there_where_it_has_something_to_do(acme: Tenant, browser: Browser) -> None:
    def buttons() -> list[str]:
        text = text_of(operator.get(page_of(workflow)))
        return [name for name in ("retry", "cancel") if f'data-workflow-action="{name}"' in text]

    workflow, operator = made(acme), browser(Role.OPERATOR)
    assert buttons() == ["cancel"]
    fail(workflow)
    assert buttons() == ["retry"]
    for status in ("failed", "cancelled"):
        for job in Job.objects.filter(workflow=workflow, status=status):
            job.delete()
    assert buttons() == []


def test_looking_costs_the_same_for_few_workflows_as_for_many(
    acme: Tenant, browser: Browser
) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert viewer.get(path).status_code == 200
        return len(captured)

    viewer, workflow = browser(Role.VIEWER), made(acme)
    few = queries(WORKFLOWS), queries(page_of(workflow))
    large = [made(acme, wide=8) for _ in range(6)][-1]
    assert (queries(WORKFLOWS), queries(page_of(large))) == few


def test_a_workflow_is_retried_and_cancelled_after_a_question(
    acme: Tenant, browser: Browser
) -> None:
    workflow, operator = made(acme), browser(Role.OPERATOR)
    fail(workflow)
    assert act(operator, workflow, "retry") == 302
    assert statuses(workflow) == {"queued", "blocked"}
    assert act(operator, workflow, "cancel") == 200
    assert statuses(workflow) == {"queued", "blocked"}
    assert act(operator, workflow, "cancel", confirmed="1") == 302
    assert statuses(workflow) == {"cancelled"}
    entries = AuditEntry.objects.filter(object_type="workflow").order_by("pk")
    assert [entry.action for entry in entries] == ["workflow.retry", "workflow.cancel"]


def test_a_verb_that_finds_nothing_to_do_says_so(acme: Tenant, browser: Browser) -> None:
    operator, workflow = browser(Role.OPERATOR), made(acme)
    act(operator, workflow, "retry")
    assert "No step has failed." in text_of(operator.get(page_of(workflow)))


@pytest.mark.parametrize("kind", KINDS)
def test_who_sees_and_who_acts(kind: str, acme: Tenant, browser: Browser) -> None:
    workflow, client = made(acme), browser(kind)
    seeing = client.get(page_of(workflow)).status_code == 200
    assert seeing == (kind not in (ANONYMOUS, PLAIN, STAFF))
    act(client, workflow, "cancel", confirmed="1")
    may = kind in (Role.OPERATOR, Role.ADMIN, SUPERUSER)
    assert statuses(workflow) == ({"cancelled"} if may else {"queued", "blocked"})


def test_g10_another_tenants_workflow_is_not_found(
    acme: Tenant, other: Tenant, browser: Browser
) -> None:
    foreign, admin = made(other), browser(Role.ADMIN)
    for name in (str(foreign.pk), str(uuid4()), "7"):
        assert admin.get(f"{WORKFLOWS}{name}/change/").status_code == 404
    assert act(admin, foreign, "cancel", confirmed="1") == 404
    assert statuses(foreign) == {"queued", "blocked"}
