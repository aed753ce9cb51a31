"""Whatever lies in the broker's lists, workers go on."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psutil

from jobs.models import Worker
from jobs.states import Status
from tests.support.arena import SLOTS, Arena
from tests.support.waiting import wait_for

LISTS = ("default.urgent", "default.normal", "default.low", "celery")
EACH = 25
LONGER: dict[str, Any] = {"LEASE_SECONDS": "30"}  # no child is lost to a busy machine


def envelope(
    body: bytes | str = b"[[], {}, {}]",
    *,
    task: object = "testing.work",
    content_type: str = "application/json",
    encoding: str = "base64",
    **changes: Any,
) -> str:
    """A message as Celery puts it on a list of Redis, but for the `changes` (None: left out)."""
    raw = body.encode() if isinstance(body, str) else body
    task_id = str(uuid4())
    whole = {
        "body": base64.b64encode(raw).decode() if encoding == "base64" else body,
        "content-encoding": "utf-8",
        "content-type": content_type,
        "headers": {"lang": "py", "task": task, "id": task_id, "root_id": task_id,
                    "parent_id": None, "group": None, "argsrepr": "", "kwargsrepr": ""},
        "properties": {"correlation_id": task_id, "delivery_mode": 2, "priority": 0,
                       "delivery_info": {"exchange": "", "routing_key": "default.normal"},
                       "body_encoding": "base64", "delivery_tag": task_id},
        **changes,
    }  # fmt: skip
    return json.dumps({name: value for name, value in whole.items() if value is not None})


def headed(**changes: object) -> str:
    """A message whose headers Celery reads, but for the `changes` (...: left out)."""
    task_id = str(uuid4())
    whole = {"lang": "py", "task": "testing.work", "id": task_id, "root_id": task_id,
             "parent_id": None, "group": None, "argsrepr": "", "kwargsrepr": "",
             **changes}  # fmt: skip
    kept = {name: value for name, value in whole.items() if value is not ...}
    return envelope(_args([[str(uuid4()), 7]]), headers=kept)


def _args(*args: object) -> str:
    return json.dumps([list(args), {}, {"callbacks": None}])


KINDS: dict[str, Callable[[], str | bytes]] = {
    "no JSON at all": lambda: b"\x80\x04\xff rubbish",
    "an envelope that is a list": lambda: "[1, 2, 3]",
    "an envelope that is a number": lambda: "5",
    "an envelope that is a text": lambda: '"text"',
    "an empty envelope": lambda: "{}",
    "null": lambda: "null",
    "a body that is a number": lambda: envelope("5"),
    "a body that is an object": lambda: envelope("{}"),
    "a body that is no JSON": lambda: envelope("{[["),
    "a pickle": lambda: envelope(pickle.dumps([[], {}, {}]),
                                 content_type="application/x-python-serialize"),
    "an unknown content type": lambda: envelope(content_type="application/x-nothing"),
    "an unknown task": lambda: envelope(task="nobody.knows"),
    "a task that is no text": lambda: envelope(task=[1]),
    "no job at all": lambda: envelope(_args()),
    "too many arguments": lambda: envelope(_args(1, 2, 3)),
    "an id that is none": lambda: envelope(_args([["no uuid", 1]])),
    "a fence that is none": lambda: envelope(_args([[str(uuid4()), "1"]])),
    "a fence below zero": lambda: envelope(_args([[str(uuid4()), -1]])),
    "a job that is not there": lambda: envelope(_args([[str(uuid4()), 7]])),
    "a thousand jobs too many": lambda: envelope(_args([[str(uuid4()), 1]] * 2000)),
    "a body of a megabyte": lambda: envelope(json.dumps("x" * 1_000_000)),
    "no headers": lambda: envelope(headers=None),
    "headers that are a list": lambda: envelope(headers=[]),
    "headers without a task": lambda: envelope(headers={"id": "1"}),
    "headers without an id": lambda: headed(id=...),
    "headers with a task only": lambda: envelope(_args(), headers={"task": "testing.work"}),
    "an id that is null": lambda: headed(id=None),
    "an id that is a list": lambda: headed(id=[]),
    "headers without a language": lambda: headed(lang=...),
    "headers without a root": lambda: headed(root_id=...),
    "headers without a parent or a group": lambda: headed(parent_id=..., group=...),
    "headers without what to show": lambda: headed(argsrepr=..., kwargsrepr=...),
    "an unknown task without an id": lambda: headed(task="nobody.knows", id=...),
    "an older protocol without an id": lambda: envelope(
        json.dumps({"task": "testing.work", "args": [], "kwargs": {}}), headers={"x": 1}),
    "an older protocol without arguments": lambda: envelope(
        json.dumps({"task": "testing.work", "id": "1"}), headers={"x": 1}),
    "a delivery that is a list": lambda: envelope(
        properties={"delivery_tag": str(uuid4()), "delivery_info": [1],
                    "body_encoding": "base64"}),
    "no properties": lambda: envelope(properties=None),
    "properties without a tag": lambda: envelope(properties={"body_encoding": "base64"}),
    "a tag that is a list": lambda: envelope(properties={"delivery_tag": []}),
    "the same tag over and over": lambda: envelope("5", properties={"delivery_tag": "1"}),
    "bad base64": lambda: envelope(body="!!not base64!!", encoding="none"),
    "a depth of thousands": lambda: "[" * 5000 + "]" * 5000,
    "a body compressed by nothing known": lambda: envelope(
        headers={"lang": "py", "task": "testing.work", "id": "1", "compression": "x/y"}),
    "times that are none": lambda: envelope(_args(), headers={
        "lang": "py", "task": "testing.work", "id": "1", "timelimit": "soon", "eta": "never",
        "expires": [], "retries": "x"}),
}  # fmt: skip


def test_no_message_whatever_it_holds_ends_a_process_or_stops_the_next_job(
    arena: Arena,
) -> None:
    arena.dispatcher(**LONGER)
    arena.worker(**LONGER)
    first = arena.enqueue("testing.work")
    arena.wait_for_status(first.pk, Status.COMPLETED, seconds=60)
    before = _processes(arena)
    assert len(before) == 1 + SLOTS
    assert EACH > SLOTS + 1  # more of each than it takes before it has acknowledged any
    with arena.redis() as client:
        for number in range(EACH):
            for kind in KINDS.values():
                client.lpush(LISTS[number % len(LISTS)], kind())
        wait_for(
            lambda: not any(client.llen(name) for name in LISTS), seconds=60,
            what="the lists are empty", every=0.2,
        )  # fmt: skip

    after = arena.enqueue("testing.work")
    arena.wait_for_status(after.pk, Status.COMPLETED, seconds=60)
    assert _processes(arena) == before
    dropped = Worker.objects.filter(dropped_messages__gt=0)
    wait_for(dropped.exists, seconds=60, what="they are counted")


def _processes(arena: Arena) -> list[int]:
    """The worker's main, then its children."""
    main = psutil.Process(arena.worker_pid("worker"))
    return [main.pid, *sorted(child.pid for child in main.children())]
