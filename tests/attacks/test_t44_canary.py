"""A secret that a job is given stands nowhere that anybody but the job could read it."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from django.test import Client

from accounts import tokens
from config.bootstrap import ROOT
from tests.attacks.searching import files_below, is_in, kept_in, overheard, processes, tables
from tests.support.addresses import free_port
from tests.support.arena import Arena
from tests.support.programs import Program
from tests.support.waiting import wait_for

pytestmark = pytest.mark.timeout(600)
LOGIN = ("celeriac", "a password that is long")
APPS = "tests.testapp,tests.attacks.vault"


@dataclass(kw_only=True)
class Stack:
    """All programs of one installation, and what the test heard of them."""

    arena: Arena
    web: str
    flower: str
    token: str
    programs: list[Program]
    heard: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)

    def ask(self, method: str, path: str, *, raw: bytes | None = None, **options: Any) -> Any:
        """The answer's JSON; all of the answer is kept for the search."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if raw is not None:
            headers["Content-Type"] = "application/json"
        answer = requests.request(
            method, f"{self.web}{path}", headers=headers, data=raw, timeout=30, **options
        )
        self.answers.append(repr(dict(answer.headers)).encode() + answer.content)
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else {}


@pytest.fixture
def stack(arena: Arena) -> Iterator[Stack]:
    more: dict[str, Any] = {
        "CELERIAC_APPS": APPS,
        "RATE_LIMIT_ENABLED": "0",
        "FLOWER_BASIC_AUTH": ":".join(LOGIN),
        "LOG_LEVEL": "DEBUG",
    }
    web, flower = free_port(), free_port()
    manage = [sys.executable, str(ROOT / "manage.py")]
    uvicorn = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan=off"]
    beat = [sys.executable, "-m", "celery", "-A", "config", "beat"]
    with ExitStack() as ending:
        heard = ending.enter_context(overheard(arena.valkey.url))
        programs = [
            arena.worker(**more),
            arena.dispatcher(**more),
            arena.start("web", [*uvicorn, f"--port={web}"], more),
            arena.start("flower", [*manage, "flower", f"--port={flower}"], more),
            arena.start("beat", [*beat, "--scheduler=scheduling.scheduler:Scheduler"], more),
        ]
        token = tokens.issue(name="canary", tenant=arena.tenant, scopes=["admin"]).text
        stack = Stack(
            arena=arena, web=f"http://127.0.0.1:{web}", flower=f"http://127.0.0.1:{flower}",
            token=token, programs=programs, heard=heard,
        )  # fmt: skip
        for url in (f"{stack.web}/readyz", f"{stack.flower}/healthcheck"):
            wait_for(partial(_answers, url), seconds=90, what=f"{url} answers")
        yield stack


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False


@dataclass(frozen=True, kw_only=True)
class Entrusted:
    """What the jobs are given: three secrets, and a note that is none."""

    password: str = field(default_factory=lambda: secrets.token_hex(24))
    key: str = field(default_factory=lambda: secrets.token_hex(24))
    inner: str = field(default_factory=lambda: secrets.token_hex(24))
    note: str = field(default_factory=lambda: secrets.token_hex(24))

    def job(self, then: str = "", **options: Any) -> dict[str, Any]:
        payload = {
            "password": self.password,
            "keys": [self.key],
            "inner": {"token": self.inner},
            "note": self.note,
            "then": then,
        }
        return {"type": "attacks.vault", "payload": payload, **options}

    @property
    def proof(self) -> str:
        return hashlib.sha256(f"{self.password}{self.key}{self.inner}".encode()).hexdigest()


def test_t44_a_secret_is_readable_in_its_job_and_nowhere_else(stack: Stack) -> None:
    given = Entrusted()
    wait_for(lambda: _is_watched(stack, given), seconds=90, what="Flower sees what runs")
    stream = _opened_stream(stack)
    ids = _made(stack, given)
    completed = stack.ask("GET", f"/api/v1/jobs/{ids[0]}")
    assert completed["result"]["sha256"] == given.proof, "the job itself did not get it"
    _refused(stack, given)
    _read_everything(stack, ids)
    places: dict[str, tuple[bytes, str]] = {  # each with what has to be found in it
        "answers of the API": (b"\n".join(stack.answers), given.note),
        "a live stream": (_told(stream, stack, given), ids[0]),
        "pages of the admin": (_admin(stack, ids), given.note),
        "Flower": (_flower(stack), ids[0]),
        "tables": (tables(), given.note),
        "files, logs among them": (files_below(stack.arena.home), given.note),
        "the worker's log": (stack.programs[0].log.read_bytes(), given.note),
        "the web process's log": (stack.programs[2].log.read_bytes(), ids[0]),
        "commands to Redis": (b"\n".join(stack.heard), ids[0]),
        "processes": (processes([one.pid for one in stack.programs]), "FLOWER_BASIC_AUTH"),
    }
    with stack.arena.redis() as client:
        client.set("marker", given.note)
        places["Redis"] = (kept_in(client), given.note)
    for place, (content, marker) in places.items():
        assert is_in(marker, content), f"the search is blind in {place}"
    found = [
        f"{name} in {place}"
        for place, (content, _) in places.items()
        for name in ("password", "key", "inner")
        if is_in(getattr(given, name), content)
    ]
    assert not found, found


def _is_watched(stack: Stack, given: Entrusted) -> bool:
    """Flower asks the workers for events a while after it has started."""
    job_id = stack.ask("POST", "/api/v1/jobs", json=given.job())["id"]
    wait_for(lambda: _ended(stack)(job_id), seconds=60, what="the job has ended")
    return job_id.encode() in _listed(stack)


def _opened_stream(stack: Stack) -> requests.Response:
    """Of every event; the server and the kernel keep what is not read yet."""
    headers = {"Authorization": f"Bearer {stack.token}"}
    url = f"{stack.web}/api/v1/events"
    stream = requests.get(url, headers=headers, stream=True, timeout=60)
    assert stream.status_code == 200
    return stream


def _told(stream: requests.Response, stack: Stack, given: Entrusted) -> bytes:
    """What a watcher was told of all jobs, up to the end of one more."""
    last = stack.ask("POST", "/api/v1/jobs", json=given.job())["id"].encode()
    told: list[bytes] = []
    deadline = time.monotonic() + 90
    with stream:
        for line in stream.iter_lines(chunk_size=None):
            told.append(line)
            if last in line and b'"status": "completed"' in line:
                break
            assert time.monotonic() < deadline, "the stream does not tell of the last job's end"
    return b"\n".join(told)


def _made(stack: Stack, given: Entrusted) -> list[str]:
    """Jobs by every way in, through every end; their ids, the completed one first."""
    ended = _ended(stack)
    once: dict[str, Any] = {"headers": {"Idempotency-Key": "canary"}}
    first = [stack.ask("POST", "/api/v1/jobs", json=given.job(), **once)["id"] for _ in range(2)]
    failing = stack.ask("POST", "/api/v1/jobs", json=given.job("fail"))["id"]
    waiting = stack.ask("POST", "/api/v1/jobs", json=given.job(delay_seconds=3600))["id"]
    batch = {"name": "b", "jobs": [given.job(), given.job("fail")]}
    batched = [one["job_id"] for one in stack.ask("POST", "/api/v1/batches", json=batch)["results"]]
    steps = {"one": given.job(), "two": given.job(after=["one"])}
    flow = stack.ask("POST", "/api/v1/workflows", json={"name": "w", "steps": steps})
    ids = [first[0], failing, *batched, *flow["steps"].values()]
    wait_for(lambda: all(map(ended, ids)), seconds=90, what="all jobs have ended")
    payload = given.job("fail")["payload"]
    stack.ask("PATCH", f"/api/v1/jobs/{waiting}", json={"payload": payload})
    stack.ask("POST", f"/api/v1/jobs/{failing}/retry", json={"payload": payload})
    stack.ask("POST", "/api/v1/jobs/bulk/retry", json={"job_ids": batched})
    wait_for(lambda: all(map(ended, ids)), seconds=90, what="the repeated jobs have ended")
    return [*ids, waiting]


def _ended(stack: Stack) -> Callable[[str], bool]:
    return lambda job_id: (
        stack.ask("GET", f"/api/v1/jobs/{job_id}").get("status") in {"completed", "failed"}
    )


def _refused(stack: Stack, given: Entrusted) -> None:
    """Requests that are wrong in the very place where the secret stands."""
    wrong = given.job()
    wrong["payload"] |= {"keys": {given.key: given.key}, "inner": [given.inner], "password": 1}
    stack.ask("POST", "/api/v1/jobs", json=wrong)
    stack.ask("POST", "/api/v1/jobs", json={**given.job(), "note": given.password})
    stack.ask("POST", "/api/v1/jobs", raw=f'{{"payload": "{given.password}" x'.encode())
    stack.ask("POST", "/api/v1/batches", json={"name": "b", "jobs": [wrong]})
    stack.ask("POST", "/api/v1/jobs", json={**given.job(), "queue": "nowhere"})


def _read_everything(stack: Stack, ids: list[str]) -> None:
    """Each GET of the published schema, of each of these jobs and of the newest of the rest."""
    paths = [path for path, calls in stack.ask("GET", "/api/v1/schema/")["paths"].items()
             if "get" in calls and not path.endswith(("/events", "/metrics"))]  # fmt: skip
    known = {"job_id": ids, "name": ["default"]}
    for plural in ("batches", "workflows"):
        newest = stack.ask("GET", f"/api/v1/{plural}")["items"]
        known[f"{plural.rstrip('s').removesuffix('e')}_id"] = [one["id"] for one in newest]
    asked = 0
    for path in paths:
        names = re.findall(r"{(\w+)}", path)
        values = known.get(names[0], ["unknown"]) if names else [""]
        for value in values:
            stack.ask("GET", re.sub(r"{\w+}", value, path))
            asked += 1
    assert asked > len(paths)


def _admin(stack: Stack, ids: list[str]) -> bytes:
    person = get_user_model().objects.create_superuser("canary", "", secrets.token_hex(12))
    client = Client()
    client.force_login(person)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    pages = [f"/admin/jobs/job/{job_id}/change/" for job_id in ids]
    pages += ["/admin/", "/admin/jobs/job/", "/admin/jobs/batch/", "/admin/jobs/workflow/",
              "/admin/accounts/auditentry/",
              "/admin/django_celery_results/taskresult/"]  # fmt: skip
    return b"\n".join(
        requests.get(f"{stack.web}{page}", cookies=cookies, timeout=30).content for page in pages
    )


def _flower(stack: Stack) -> bytes:
    listed = _listed(stack)
    pages = [f"/task/{one}" for one in json.loads(listed)] + ["/", "/tasks", "/workers", "/broker"]
    return listed + b"".join(
        requests.get(stack.flower + page, auth=LOGIN, timeout=30).content for page in pages
    )


def _listed(stack: Stack) -> bytes:
    return requests.get(f"{stack.flower}/api/tasks", auth=LOGIN, timeout=30).content
