"""Commands that nobody waits for: in order, in time, and never lost without a word."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.test import override_settings

from config.embedded.account import server_account
from config.embedded.place import server_home
from config.embedded.valkey import prepare_valkey
from jobs import wire
from jobs.wire import MOST_WAITING, Command, Wire
from tests.support.servers import BreakableServer
from tests.support.waiting import wait_for

PATIENCE = 60.0
KEY = "said"
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def _server() -> Iterator[BreakableServer]:
    """A Valkey that nobody else uses: it is stopped, and its connections are looked at."""
    home = Path(tempfile.mkdtemp(prefix="celeriac-wire-"))
    home.chmod(0o711)
    account = server_account()
    server = BreakableServer(prepare_valkey(server_home(home, account), account), home)
    yield server
    server.stop(signal.SIGTERM)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def server(_server: BreakableServer) -> Iterator[BreakableServer]:
    _server.ensure()
    with override_settings(REDIS_URL=_server.url):
        yield _server


@pytest.fixture
def client(server: BreakableServer) -> Iterator[Any]:
    with redis.Redis.from_url(server.url, decode_responses=True) as found:
        found.flushall()
        yield found


@pytest.fixture
def line(client: Any) -> Wire:
    return Wire()


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is, no answer comes too late."""
    monkeypatch.setattr(wire, "_HASTE_SECONDS", 30)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held(wire._Exchange.is_over)
    monkeypatch.setattr(wire._Exchange, "is_over", lambda *given: held.is_over(*given))
    yield held
    held.may_go.set()


class Held:
    """Whoever sends "one" has it in hand, and does not go on before it may."""

    def __init__(self, is_over: Callable[[Any, list[Any]], bool]) -> None:
        self.taken, self.may_go = threading.Event(), threading.Event()
        self._is_over = is_over

    def is_over(self, exchange: Any, batch: list[Any]) -> bool:
        if batch[0][0] == push("one"):
            self.taken.set()
            assert self.may_go.wait(PATIENCE)
        return self._is_over(exchange, batch)


def push(text: str) -> Command:
    return ("RPUSH", KEY, text)


def said(client: Any) -> list[str]:
    found: list[str] = client.lrange(KEY, 0, -1)
    return found


def until_said(client: Any, *wanted: str) -> None:
    wait_for(lambda: said(client) == [*wanted], seconds=PATIENCE, what=f"said is {wanted}")


def connections(client: Any) -> set[str]:
    """All but the client's own."""
    return {one["id"] for one in client.client_list()} - {str(client.client_id())}


@pytest.mark.usefixtures("calm")
def test_what_waits_goes_with_the_next_command_and_before_it(line: Wire, client: Any) -> None:
    line.say_soon(push("one"))
    line.say_soon(push("two"))
    line.say(push("three"), push("four"))
    line.flush()
    assert said(client) == ["one", "two", "three", "four"]


def test_what_is_said_does_not_overtake_what_the_sender_has_in_hand(
    line: Wire, client: Any, held: Held
) -> None:
    line.say_soon(push("one"))
    assert held.taken.wait(PATIENCE)
    line.say(push("two"), push("three"))
    line.say_soon(push("four"))
    line.say(push("five"))
    assert said(client) == []
    held.may_go.set()
    until_said(client, "one", "two", "three", "four", "five")


@pytest.mark.usefixtures("calm")
def test_what_is_said_while_another_thread_sends_follows_without_a_pause(
    line: Wire, client: Any, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "SOON_SECONDS", 3600)
    other = threading.Thread(target=line.say, args=[push("one")])
    other.start()
    assert held.taken.wait(PATIENCE)
    line.say(push("two"))
    held.may_go.set()
    other.join()
    until_said(client, "one", "two")


@pytest.mark.usefixtures("calm")
def test_what_waits_goes_at_the_end_of_the_process(
    line: Wire, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "SOON_SECONDS", 3600)
    line.say_soon(push("one"))
    line.say_last()
    assert said(client) == ["one"]


def test_the_end_waits_shortly_for_what_the_sender_has_in_hand(
    line: Wire, client: Any, held: Held
) -> None:
    line.say_soon(push("one"))
    assert held.taken.wait(PATIENCE)
    line.say_soon(push("two"))
    line.say_last()
    assert said(client) == []
    held.may_go.set()
    until_said(client, "one", "two")


def test_what_waits_goes_by_itself(line: Wire, client: Any) -> None:
    line.say_soon(push("one"))
    until_said(client, "one")
    line.say_soon(push("two"))
    until_said(client, "one", "two")


def test_after_a_flush_nothing_waits(line: Wire, client: Any) -> None:
    texts = [str(number) for number in range(2500)]
    for text in texts:
        line.say_soon(push(text))
    line.flush()
    assert said(client) == texts


@pytest.mark.usefixtures("calm")
def test_what_redis_refuses_keeps_nothing_else_back(line: Wire, client: Any) -> None:
    line.say(("NO-SUCH-COMMAND",), push("one"), ("INCR", KEY), push("two"))
    line.say(push("three"))
    line.flush()
    assert said(client) == ["one", "two", "three"]


def test_what_was_dropped_while_redis_was_gone_is_told_of_later_and_once(
    line: Wire, client: Any, server: BreakableServer
) -> None:
    line.say_soon(push("one"))
    line.flush()
    server.stop(signal.SIGTERM)
    for text in ("two", "three"):
        line.say_soon(push(text), instead=push("lost"))
        line.flush()
    line.say(push("a nudge, which nobody misses"))
    server.start()
    until_said(client, "one", "lost")
    line.say_soon(push("four"), instead=push("lost"))
    until_said(client, "one", "lost", "four")


def test_what_redis_does_not_take_in_time_is_told_of_later_and_once(
    line: Wire, client: Any
) -> None:
    line.say(push("one"))
    line.flush()
    client.execute_command("CLIENT", "PAUSE", "100000", "WRITE")
    try:
        for text in ("two", "three"):
            line.say_soon(push(text), instead=push("lost"))
        line.say(push("a nudge, which nobody misses"))
        line.flush()
    finally:
        client.execute_command("CLIENT", "UNPAUSE")
    until_said(client, "one", "lost")


def test_what_redis_takes_late_is_not_lost(line: Wire, client: Any) -> None:
    line.say(push("one"))
    client.execute_command("CLIENT", "PAUSE", "500", "WRITE")
    line.say_soon(push("two"), instead=push("lost"))
    line.say()
    line.say_soon(push("three"), instead=push("lost"))
    line.flush()
    assert said(client) == ["one", "two", "three"]


def test_a_connection_with_answers_still_to_come_is_not_used_again(
    line: Wire, client: Any, server: BreakableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_HASTE_SECONDS", 3.0)  # the first one is answered in time
    others = connections(client)
    line.say(push("one"))
    mine = connections(client) - others
    with server.frozen():
        line.say(push("two"))
        line.flush()
    wait_for(
        lambda: not mine & connections(client), seconds=PATIENCE, what="the connection is shut"
    )
    line.flush()
    line.say_soon(push("three"))
    line.flush()
    assert said(client)[-1] == "three"


def test_of_more_than_may_wait_the_loss_is_told(
    line: Wire, client: Any, server: BreakableServer
) -> None:
    with server.frozen():
        for _ in range(3 * MOST_WAITING):
            line.say_soon(("PING",), instead=push("lost"))
    wait_for(lambda: said(client), seconds=PATIENCE, what="the loss is told")
    line.flush()
    assert set(said(client)) == {"lost"}


@pytest.mark.usefixtures("calm")
def test_a_forked_child_has_its_own_connection_and_nothing_of_its_parents(
    client: Any,
) -> None:
    others = connections(client)
    wire.start_anew()
    try:
        wire.say(push("one"))
        wire.flush()
        mine = connections(client) - others
        wire.say_soon(push("parent's"))
        child = os.fork()
        if not child:
            _speak_and_end()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        wire.flush()
        assert sorted(said(client)) == ["child's", "one", "parent's"]
        assert mine <= connections(client)
    finally:
        wire.start_anew()


def _speak_and_end() -> None:
    try:
        wire.say_soon(push("child's"))
        wire.flush()
        os._exit(0)
    finally:
        os._exit(1)
