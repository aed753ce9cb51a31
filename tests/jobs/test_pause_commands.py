"""`manage.py pause`, `resume` and `pauses`: what they do, write and refuse."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, Tenant
from jobs.models import Pause, PauseKind
from jobs.operations import Actor
from jobs.policies import pausing
from tests.jobs.kinds import ECHO, QUEUE
from tests.jobs.test_commands import Said

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def acme(tenant: Tenant) -> Tenant:
    return tenant


def in_force() -> list[tuple[str, str]]:
    return list(Pause.objects.filter(pausing.IN_FORCE).values_list("kind", "target"))


@pytest.mark.parametrize(
    ("kind", "target"), [("queue", QUEUE), ("type", ECHO), ("tenant", "acme"), ("key", "site:a")]
)
def test_it_is_paused_listed_and_resumed(kind: str, target: str) -> None:
    whose = ["--tenant=acme"] if kind == "key" else []
    said = Said("pause", kind, target, "--reason=new server", *whose)
    assert said.status == 0, said.refusal
    assert said.out.startswith(f"{kind} {target}")
    assert "until it is resumed (new server)" in said.out
    assert in_force() == [(kind, target)]
    assert Said("pauses").out == said.out

    assert "ended" in Said("resume", kind, target, *whose).out
    assert in_force() == []
    actors = AuditEntry.objects.filter(object_type="pause").values_list("actor", flat=True)
    assert len(actors) == 2
    assert all(actor.startswith("command:") for actor in actors)


def test_an_end_is_a_moment_or_a_length_of_time() -> None:
    Said("pause", "queue", QUEUE, "--until=2999-01-31T12:00:00+01:00")
    assert str(Pause.objects.get().until) == "2999-01-31 11:00:00+00:00"
    said = Said("pause", "queue", QUEUE, "--for=2h")
    until = Pause.objects.get().until
    assert said.status == 0
    assert until is not None
    assert 7000 < (until - timezone.now()).total_seconds() <= 7200


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pause", "queue", "nowhere"], "queue 'nowhere' is unknown"),
        (["pause", "type", "no.such"], "type 'no.such' is unknown"),
        (["pause", "tenant", "nobody"], "tenant 'nobody' is unknown"),
        (["pause", "key", "a", "--tenant=nobody"], "no tenant 'nobody'"),
        (["pause", "queue", QUEUE, "--until=2001-01-31T12:00:00Z"], "--until: is past"),
        (["pause", "queue", QUEUE, "--reason", "x" * 501], "--reason: at most 500"),
        (["resume", "queue", QUEUE], "is not paused"),
        (["resume", "queue", "nowhere"], "is not paused"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(arguments: list[str], told: str) -> None:
    said = Said(*arguments)
    assert (said.status, told in said.refusal) == (2, True), said.refusal
    assert not Pause.objects.exists()


def test_nothing_is_paused_and_what_was() -> None:
    pausing.pause(PauseKind.QUEUE, QUEUE, Actor(name="user:eve"), reason="one\x1b[2J\ntwo")
    pausing.resume(PauseKind.QUEUE, QUEUE, Actor(name="user:bob"))
    assert (Said("pauses").out, Said("pauses").err) == ("", "Nothing is paused.\n")
    (line,) = Said("pauses", "--all").out.splitlines()
    assert "by user:bob" in line
    assert "\x1b" not in line
    (item,) = Said("pauses", "--all", "--json").document["items"]
    assert (item["target"], item["in_force"], item["ended_by"]) == (QUEUE, False, "user:bob")
