"""Every call that the published schema names: none can be forgotten here, for none is listed.

A call is known by the schema alone, and its scope by the view that answers it. Only what stands in
a path has to be told: of a new kind of object, how another tenant's comes to be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.urls import resolve
from pytest_django import Settings

from accounts.models import AuditEntry, Tenant
from accounts.scopes import EVERY_SCOPE, Scope
from jobs.models import Artifact, ArtifactKind
from jobs.states import Status
from tests.api.batching import made as made_batch
from tests.api.calling import PROBLEM, Answer, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.hooked import delivery
from tests.api.hooked import made as made_endpoint
from tests.api.scheduled import calendar
from tests.api.scheduled import made as made_schedule
from tests.api.test_schema import schema
from tests.api.test_tokens import issued
from tests.api.test_workflows import made as made_workflow
from tests.support.files import storage_at, stored

FOR_EVERYBODY = {"/me", "/health"}  # no scope: any token
MAKERS: dict[str, Callable[[Tenant, MakeJob], object]] = {
    "artifacts": lambda tenant, make_job: _artifact(make_job(tenant)).pk,
    "batches": lambda tenant, make_job: made_batch(tenant).pk,
    "calendars": lambda tenant, make_job: calendar(tenant).pk,
    "failures": lambda tenant, make_job: make_job(tenant, Status.FAILED) and "unsorted",
    "files": lambda tenant, make_job: stored(tenant).pk,
    "jobs": lambda tenant, make_job: make_job(tenant, Status.FAILED).pk,
    "schedules": lambda tenant, make_job: made_schedule(tenant).pk,
    "tokens": lambda tenant, make_job: issued(tenant, uuid4().hex).pk,
    "webhook-deliveries": lambda tenant, make_job: delivery(tenant).pk,
    "webhook-endpoints": lambda tenant, make_job: made_endpoint(tenant).pk,
    "workflows": lambda tenant, make_job: made_workflow(tenant, failed=True).workflow.pk,
}
# Of the platform, not of a tenant: nothing of another's to ask for.
COMMON = {"pauses", "queues", "tenants", "workers"}


def _artifact(job: Any) -> Artifact:
    return Artifact.objects.create(
        job=job, kind=ArtifactKind.ARTIFACT, name="a", content_type="text/plain", size=1,
        sha256="0" * 64, storage_name=uuid4().hex, fence=1,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One call of the schema; `path` is below /api/v1, with its variables."""

    method: str
    path: str
    described: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def has_id(self) -> bool:
        return "{" in self.path

    @property
    def kind(self) -> str:
        return self.path.split("/")[1]

    @property
    def needed(self) -> Scope | None:
        """Raises KeyError where a view does not say it."""
        view: Any = resolve(f"/api/v1{self.at('x')}").func
        scope: Scope | None = view.view_class.scopes[self.method]
        return scope

    @property
    def is_platforms(self) -> bool:
        return str(self.described.get("description", "")).startswith("For platform admins.")

    @property
    def streams(self) -> bool:
        return "text/event-stream" in json.dumps(self.described["responses"])

    def at(self, name: object) -> str:
        head, brace, rest = self.path.partition("{")
        return head + str(name) + rest.partition("}")[2] if brace else head

    def ask(self, caller: Caller, name: object = "", **query: str) -> Answer:
        body = self._body()
        data = b"" if body is None else json.dumps(body).encode()
        return caller.call(self.method, self.at(name or uuid4()), query=query, data=data)

    def _body(self) -> object:
        content = self.described.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return None
        one = content["application/json"]
        for example in one.get("examples", {}).values():
            return example["value"]
        return least(one["schema"])


def least(described: Mapping[str, Any]) -> Any:
    """The smallest value that fits a schema, as far as the schemas here go."""
    if "$ref" in described:
        return least(schema()["components"]["schemas"][described["$ref"].rpartition("/")[2]])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in described:
            return least(described[several][0])
    if "enum" in described or "const" in described:
        return described.get("const", described.get("enum", [None])[0])
    match described.get("type"):
        case "object":
            fields = described.get("properties", {})
            return {name: least(fields[name]) for name in described.get("required", [])}
        case "array":
            return [least(described["items"])] * described.get("minItems", 0)
        case "string" if described.get("format") == "uuid":
            return str(uuid4())
        case "integer" | "number":
            return described.get("minimum", 1)
        case "string":
            return "a" * max(described.get("minLength", 1), 1)
    return described.get("default")


def operations() -> Iterator[Operation]:
    for path, item in schema()["paths"].items():
        for method, described in item.items():
            yield Operation(
                method=method.upper(), path=path.removeprefix("/api/v1"), described=described
            )


@pytest.fixture(autouse=True)
def _quiet(tmp_path: Path, settings: Settings) -> None:
    settings.RATE_LIMIT_ENABLED = False
    storage_at(tmp_path / "files", settings)


def told(answer: Answer) -> dict[str, Any]:
    return {**answer.body, "instance": "", "status": answer.status}


def test_t15_without_a_token_every_call_gives_one_and_the_same_401(db: None) -> None:
    answers = {str(one): one.ask(Caller()) for one in operations()}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(answers, 401)
    assert len({json.dumps(told(answer)) for answer in answers.values()}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    assert len(answers) > 50


@pytest.mark.parametrize("granted", sorted(EVERY_SCOPE))
def test_t16_every_call_needs_its_scope(
    granted: Scope, acme: Tenant, caller_of: MakeCaller
) -> None:
    caller, wrong = caller_of(acme, [granted]), []
    for one in operations():
        needed = one.needed
        allowed = needed is None or granted in (needed, Scope.ADMIN)
        if allowed and one.streams:
            continue
        answer = one.ask(caller)
        if not allowed or one.is_platforms:
            fits = answer.status == 403 and answer.headers["Content-Type"] == PROBLEM
            fits = fits and (allowed or str(needed) in answer.body["detail"])
        else:
            fits = answer.status not in (401, 403, 500)
        if not fits:
            wrong.append((str(one), answer.status, answer.body))
    assert wrong == []


def test_only_who_i_am_and_the_platforms_health_need_no_scope() -> None:
    assert {one.path for one in operations() if one.needed is None} == FOR_EVERYBODY


def test_t1_another_tenants_object_and_a_missing_one_are_the_same_to_every_call(
    acme: Tenant, other: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    stranger, wrong = caller_of(acme), []
    for one in operations():
        if not one.has_id:
            continue
        foreign = uuid4() if one.kind in COMMON else MAKERS[one.kind](other, make_job)
        entries = AuditEntry.objects.count()
        theirs, missing, malformed = (one.ask(stranger, n) for n in (foreign, uuid4(), "7"))
        expected = 403 if one.is_platforms else 404
        if (
            told(theirs) != told(missing)
            or theirs.status != expected
            or malformed.status != expected
            or AuditEntry.objects.count() != entries
        ):
            wrong.append((str(one), theirs.body, missing.body, malformed.body))
    assert wrong == []


def test_every_call_reaches_ones_own_object(
    acme: Tenant, caller_of: MakeCaller, make_job: MakeJob
) -> None:
    """Or the test above would hold of calls that reach nothing at all."""
    owner, wrong = caller_of(acme), []
    for one in operations():
        if one.has_id and one.kind not in COMMON | {"artifacts"}:
            answer = one.ask(owner, MAKERS[one.kind](acme, make_job))
            if answer.status in (401, 403, 404, 500):
                wrong.append((str(one), answer.status, answer.body))
    assert wrong == []


def test_every_call_refuses_another_tenants_name_in_the_header(
    acme: Tenant, other: Tenant, caller_of: MakeCaller
) -> None:
    stray = Caller(token=caller_of(acme).token, headers={"X-Tenant": "other"})
    answers = {str(one): one.ask(stray).status for one in operations()}
    assert answers == dict.fromkeys(answers, 403)


def test_t13_t20_every_call_refuses_a_parameter_that_it_does_not_know(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    caller, wrong = caller_of(acme), []
    for one in operations():
        answer = one.ask(caller, access_token="cel_0", tenant__slug="other")
        if answer.status != 422 or answer.pointers != ["/access_token", "/tenant__slug"]:
            wrong.append((str(one), answer.status, answer.body))
    assert wrong == []
