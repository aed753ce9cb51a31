"""The published schema is true: generated without a warning, and held against real answers."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # no stubs installed

from accounts.models import Tenant
from jobs.states import Status
from tests.api import kinds
from tests.api.accessing import ACCESS_CALLS
from tests.api.batching import BATCH_CALLS
from tests.api.calling import Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.hooked import WEBHOOK_CALLS
from tests.api.scheduled import SCHEDULE_CALLS
from tests.api.test_apart import CALLS, FILE_CALLS, PLATFORM_CALLS, made, route
from tests.api.workflowing import WORKFLOW_CALLS


@lru_cache
def schema() -> dict[str, Any]:
    out = StringIO()
    call_command(
        "spectacular", "--format", "openapi-json", "--validate", "--fail-on-warn", stdout=out
    )
    document: dict[str, Any] = json.loads(out.getvalue())
    return document


def check(value: Any, described: dict[str, Any]) -> None:
    """`value` fits a schema of the document, whose parts refer to each other."""
    whole = {**described, "components": schema()["components"]}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(value)] == []


def test_it_is_openapi_3_1_without_a_warning() -> None:
    assert schema()["openapi"].startswith("3.1")


def test_it_describes_every_route_and_no_other() -> None:
    described = {
        (method.upper(), re.sub(r"\{\w+\}", "{id}", path))
        for path, item in schema()["paths"].items()
        for method in item
    }
    assert described == {
        (method, "/api/v1" + route(path))
        for method, path, *_ in [
            *CALLS,
            *ACCESS_CALLS,
            *FILE_CALLS,
            *PLATFORM_CALLS,
            *BATCH_CALLS,
            *WORKFLOW_CALLS,
            *SCHEDULE_CALLS,
            *WEBHOOK_CALLS,
        ]
    }


def _described(path: str) -> Any:
    """What the schema says of a path; one written out there goes before one with a variable."""
    known = schema()["paths"]
    fitting = [name for name in known if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), path)]
    return known[min(fitting, key=lambda name: name.count("{"))]


# A stream answers no JSON; tests/live holds what it tells.
@pytest.mark.parametrize(
    ("method", "path", "needed", "body", "status"),
    [call for call in CALLS if not call[1].startswith("/events?")],
)
def test_every_answer_is_as_described(
    method: str,
    path: str,
    needed: object,
    body: object,
    status: Status | None,
    acme: Tenant,
    caller_of: MakeCaller,
    make_job: MakeJob,
) -> None:
    job = make_job(acme, status or Status.FAILED)
    answer = made(caller_of(acme), method, path.replace("{id}", str(job.pk)), body)
    described = _described("/api/v1" + route(path))
    responses = described[method.lower()]["responses"]
    check(answer.body, responses[str(answer.status)]["content"]["application/json"]["schema"])


@pytest.mark.parametrize("status", Status)
def test_a_job_in_any_status_is_as_described_and_nothing_is_left_out(
    status: Status, caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    body = caller.get(f"/jobs/{make_job(acme, status).pk}").body
    job = schema()["components"]["schemas"]["JobDocument"]
    check(body, job)
    assert list(body) == [name for name in job["properties"] if name in body]
    assert set(job["properties"]) - set(body) == {"deduplicated", "replaced", "tenant"}


def test_a_problem_is_as_described(caller: Caller) -> None:
    problem = schema()["components"]["schemas"]["Problem"]
    check(caller.post("/jobs", {}).body, problem)
    check(caller.get("/nothing").body, problem)


def test_the_published_examples_are_accepted(caller: Caller) -> None:
    operation = schema()["paths"]["/api/v1/jobs"]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"].values()
    assert examples
    for example in examples:
        check(example["value"], schema()["components"]["schemas"]["NewJob"])
        changed = {**example["value"], "type": kinds.report.name, "payload": {"report_id": 7}}
        assert caller.post("/jobs", {**changed, "priority": 50}).status == 201


def test_schema_and_page_are_served_to_everybody() -> None:
    served = Client().get("/api/v1/schema/")
    assert (served.status_code, served.json()["openapi"]) == (200, schema()["openapi"])
    assert Client().get("/api/v1/docs/").status_code == 200


def test_the_page_asks_nothing_of_any_other_host() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    addresses = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert addresses
    assert all(one.startswith(f"/{settings.STATIC_URL.strip('/')}/") for one in addresses)
    assert "://" not in page
    for one in addresses:
        assert _static(one).is_file()


def _static(address: str) -> Path:
    from django.contrib.staticfiles import finders

    found = finders.find(address.removeprefix(f"/{settings.STATIC_URL.strip('/')}/"))
    assert isinstance(found, str)
    return Path(found)
