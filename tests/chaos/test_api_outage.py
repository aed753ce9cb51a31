"""What the API answers while the database, or Redis and the broker, are away."""

from __future__ import annotations

import signal
import time
from uuid import uuid4

import pytest
import requests

from accounts import tokens
from jobs.models import Job
from jobs.states import Status
from tests.browser.site import Site
from tests.support.arena import Arena
from tests.support.waiting import wait_for

NEW = {"type": "diagnostics.echo", "payload": {}}


@pytest.fixture
def site(arena: Arena) -> Site:
    site = Site(arena, RATE_LIMIT_ENABLED="1", RATE_LIMIT_CREATE="1000/m")
    site.start_web()
    return site


@pytest.fixture
def headers(site: Site) -> dict[str, str]:
    issued = tokens.issue(name=uuid4().hex, tenant=site.arena.tenant, scopes=["admin"])
    return {"Authorization": f"Bearer {issued.text}"}


def test_without_the_database_a_call_is_503_and_says_when_to_come_again(
    site: Site, headers: dict[str, str]
) -> None:
    url = f"{site.url}/api/v1/jobs"
    site.arena.postgres.stop(signal.SIGINT)
    try:
        for answer in (
            requests.post(url, json=NEW, headers=headers, timeout=30),
            requests.get(url, headers=headers, timeout=30),
        ):
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert "psycopg" not in answer.text
            assert "127.0.0.1" not in answer.text
    finally:
        site.arena.postgres.start()

    def created() -> bool:
        return requests.post(url, json=NEW, headers=headers, timeout=30).status_code == 201

    wait_for(created, seconds=60, what="jobs are taken again")


@pytest.mark.parametrize("how", ["stopped", "frozen"])
def test_without_redis_and_broker_a_job_is_accepted_and_runs_when_they_are_back(
    site: Site, headers: dict[str, str], how: str
) -> None:
    arena, url = site.arena, f"{site.url}/api/v1/jobs"
    assert requests.post(url, json=NEW, headers=headers, timeout=30).status_code == 201

    def hand_in() -> list[str]:
        began, ids = time.monotonic(), []
        for _ in range(10):
            answer = requests.post(url, json=NEW, headers=headers, timeout=30)
            assert answer.status_code == 201
            assert "X-RateLimit-Remaining" in answer.headers
            ids.append(answer.json()["id"])
        assert time.monotonic() - began < 20, "each call waited for Redis"
        return ids

    if how == "stopped":
        arena.valkey.stop(signal.SIGTERM)
        ids = hand_in()
        arena.valkey.start()
    else:
        with arena.valkey.frozen():
            ids = hand_in()
    arena.dispatcher()
    arena.worker()
    done = Job.objects.filter(pk__in=ids, status=Status.COMPLETED)
    wait_for(lambda: done.count() == len(ids), seconds=60, what="the jobs have run")
