"""Rate limits: by tenant over all its tokens, by token, by nothing that a client can choose."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts import members, people
from accounts.models import Tenant
from accounts.roles import Role
from accounts.scopes import Scope
from jobs.models import Job
from jobs.states import Status
from tests.api import kinds
from tests.api.calling import PROBLEM, Caller
from tests.api.conftest import MakeCaller, MakeJob
from tests.api.limiting import JOB, statuses, told

BATCH: dict[str, Any] = {"jobs": [JOB]}
EVERYDAY = [Scope.JOBS_READ, Scope.JOBS_WRITE]
pytestmark = pytest.mark.usefixtures("limits")


def test_every_answer_tells_limit_rest_and_reset(caller: Caller) -> None:
    first, second = caller.get("/jobs"), caller.get("/jobs/nonsense")
    assert (first.status, second.status) == (200, 404)
    assert told(first)[:2] == (100, 99)
    assert told(second)[:2] == (100, 98)
    assert 1 <= told(first)[2] <= 60


def test_over_the_limit_is_a_429_problem_that_says_when_to_come_again(caller: Caller) -> None:
    assert statuses(caller, "/jobs", JOB, 10) == [201] * 10
    refused = caller.post("/jobs", JOB)
    assert (refused.status, refused.headers["Content-Type"]) == (429, PROBLEM)
    assert refused.body["type"] == "urn:celeriac:problem:rate-limited"
    assert told(refused)[:2] == (10, 0)
    assert 1 <= int(refused.headers["Retry-After"]) == told(refused)[2] <= 60
    assert Job.objects.count() == 10


def test_the_window_slides_a_refused_call_takes_nothing_and_room_comes_back(
    caller: Caller, limits: Settings
) -> None:
    limits.RATE_LIMIT_CREATE = "2/1s"
    answers = [caller.post("/jobs", JOB) for _ in range(3)]
    while (last := caller.post("/jobs", JOB)).status == 429:
        assert told(last)[2] == 1
        answers.append(last)
        assert len(answers) < 100_000, "room never comes back, though refusals take none"
    assert [one.status for one in answers[:2]] == [201, 201]
    assert last.status == 201


def test_each_kind_of_call_has_its_own_window(
    caller: Caller, acme: Tenant, make_job: MakeJob
) -> None:
    job = make_job(acme, Status.SCHEDULED)
    create = [caller.post("/jobs", JOB), caller.post(f"/jobs/{job.pk}/run-now")]
    assert [told(one)[:2] for one in create] == [(10, 9), (10, 8)]
    batch = [
        caller.post("/batches", BATCH),
        caller.post("/jobs/bulk/cancel", {"filter": {"type": "nobody.knows"}}),
        caller.post("/failures/none/retry"),
    ]
    assert [told(one)[:2] for one in batch] == [(5, 4), (5, 3), (5, 2)]
    assert told(caller.post(f"/jobs/{job.pk}/cancel"))[:2] == (100, 99)


# --- T28: ways around ------------------------------------------------------------------------


def test_t28_headers_of_proxies_make_no_other_caller(caller: Caller) -> None:
    ways = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "X-Tenant-Id", "Via"]
    for number, name in enumerate(ways * 2):
        caller.post("/jobs", JOB, **{name.replace("-", "_"): f"10.0.0.{number}"})
    assert Job.objects.count() == 10


def test_t28_many_tokens_of_one_tenant_share_its_window(
    acme: Tenant, caller_of: MakeCaller
) -> None:
    answers = [caller_of(acme, EVERYDAY).post("/jobs", JOB) for _ in range(11)]
    assert [one.status for one in answers] == [201] * 10 + [429]


def test_t28_another_tenant_has_its_own_window(
    caller: Caller, other: Tenant, caller_of: MakeCaller
) -> None:
    statuses(caller, "/jobs", JOB, 11)
    assert caller_of(other).post("/jobs", JOB).status == 201


def test_t28_a_person_counts_in_the_tenant_that_the_tokens_count_in(
    caller: Caller, acme: Tenant
) -> None:
    user = User.objects.create_user("ann", password="a word of hers")
    members.put(user, acme, Role.ADMIN, by="system")
    people.let_in(user, by="system")
    browser = Client()
    browser.force_login(user)
    caller.get("/jobs")
    assert browser.get("/api/v1/jobs")["X-RateLimit-Remaining"] == "98"


def test_t28_head_counts_as_get_and_unknown_methods_count_as_well(caller: Caller) -> None:
    used = [told(caller.call(method, "/jobs"))[1] for method in ("GET", "HEAD", "OPTIONS", "BREW")]
    assert used == [99, 98, 97, 96]


@pytest.mark.parametrize("path", ["//jobs", "/./jobs", "/jobs/", "/jobs//", "/JOBS", "/%6aobs/"])
def test_t28_another_spelling_of_the_path_reaches_no_view(path: str, caller: Caller) -> None:
    assert caller.post(path, JOB).status == 404
    assert not Job.objects.exists()


def test_t28_an_encoded_path_counts_as_the_plain_one(caller: Caller) -> None:
    answers = [caller.post("/%6a%6Fbs" if number % 2 else "/jobs", JOB) for number in range(11)]
    assert [one.status for one in answers] == [201] * 10 + [429]


def test_t28_a_batch_of_a_thousand_is_one_call_of_five(caller: Caller) -> None:
    body = {"type": kinds.report.name, "items": [{"report_id": 7}] * 1000}
    answer = caller.post("/batches", body)
    assert (answer.status, *told(answer)[:2]) == (201, 5, 4)
    assert statuses(caller, "/batches", BATCH, 5) == [201] * 4 + [429]


@pytest.mark.django_db(transaction=True)
def test_t28_of_200_at_once_exactly_as_many_pass_as_may(caller: Caller) -> None:
    def send(_: int) -> int:
        try:
            return caller.post("/jobs", JOB).status
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(send, range(200)))
    assert (answers.count(201), answers.count(429)) == (10, 190)
    assert Job.objects.count() == 10


def test_t28_refused_and_failed_calls_count(acme: Tenant, caller_of: MakeCaller) -> None:
    reader = caller_of(acme, [Scope.JOBS_READ])
    assert statuses(reader, "/jobs", JOB, 11) == [403] * 10 + [429]


def test_t28_who_is_not_known_is_told_nothing_and_takes_nothing(caller: Caller) -> None:
    answer = Caller(token="cel_nonsense").get("/jobs")
    assert answer.status == 401
    assert not [name for name in answer.headers if name.startswith("X-RateLimit")]
    assert told(caller.get("/jobs"))[1] == 99


# --- Whose rate --------------------------------------------------------------------------------


def test_a_plan_may_have_a_rate_of_its_own(
    caller: Caller, other: Tenant, caller_of: MakeCaller, limits: Settings
) -> None:
    limits.RATE_LIMIT_OTHER = "100/m, enterprise=600/m"
    assert told(caller.get("/jobs"))[0] == 100
    assert told(caller_of(other).get("/jobs"))[0] == 600


def test_a_token_may_have_less_than_its_tenant_and_its_refusals_cost_the_tenant_nothing(
    acme: Tenant, caller_of: MakeCaller, limits: Settings
) -> None:
    limits.RATE_LIMIT_TOKEN_CREATE = "2/m"
    one, two = caller_of(acme, EVERYDAY), caller_of(acme, EVERYDAY)
    assert statuses(one, "/jobs", JOB, 9) == [201, 201] + [429] * 7
    assert told(one.post("/jobs", JOB))[0] == 2
    assert statuses(two, "/jobs", JOB, 2) == [201, 201]
    tokens = [caller_of(acme, EVERYDAY) for _ in range(7)]
    assert [token.post("/jobs", JOB).status for token in tokens] == [201] * 6 + [429]


def test_a_platform_admin_counts_by_token_whatever_tenant_it_names(
    acme: Tenant, other: Tenant, caller_of: MakeCaller, limits: Settings
) -> None:
    limits.ADMIN_API_TOKEN = "a token that is long enough to be one"
    token, first = caller_of(None).token, Caller(token=limits.ADMIN_API_TOKEN)
    left = [
        told(Caller(token=token, headers={"X-Tenant": slug}).get("/jobs"))[1]
        for slug in ("acme", "other", "*", "no-such")
    ]
    assert left == [99, 98, 97, 96]
    assert told(first.get("/jobs"))[1] == 99
    assert told(caller_of(acme).get("/jobs"))[1] == 99


def test_the_platforms_rate_can_be_set(caller_of: MakeCaller, limits: Settings) -> None:
    limits.RATE_LIMIT_OTHER = "100/m,platform=1000/m"
    assert told(caller_of(None).get("/jobs"))[0] == 1000


def test_off_nothing_is_counted_and_nothing_told(caller: Caller, limits: Settings) -> None:
    limits.RATE_LIMIT_ENABLED = False
    assert statuses(caller, "/jobs", JOB, 11) == [201] * 11
    assert "X-RateLimit-Limit" not in caller.get("/jobs").headers


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("RATE_LIMIT_CREATE", "ten a minute"),
        ("RATE_LIMIT_CREATE", ""),
        ("RATE_LIMIT_BATCH", "5/m,gold=6/m"),
        ("RATE_LIMIT_OTHER", "5/m,free=6/m,free=7/m"),
        ("RATE_LIMIT_TOKEN_OTHER", "5/m,free"),
    ],
)
def test_rates_that_cannot_be_read_refuse_the_start(name: str, text: str, limits: Settings) -> None:
    setattr(limits, name, text)
    found = run_checks(tags=["celeriac"])
    assert [error.id for error in found] == ["celeriac.E010"]
    assert found[0].is_serious()
    assert name in found[0].msg
