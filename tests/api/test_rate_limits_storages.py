"""Where hits are kept, what holds while Redis is away, and what a call costs then."""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from django.conf import settings

from accounts.rate import parse
from accounts.rate_limits import limiting
from accounts.rate_limits.limiting import Limiter
from accounts.rate_limits.rates import parse_rates
from accounts.rate_limits.standing import Standing, standing
from accounts.rate_limits.storages import InMemory, InRedis, Storage
from accounts.rate_limits.windows import Window
from config.embedded.account import server_account
from config.embedded.place import server_home
from config.embedded.valkey import prepare_valkey
from tests.api.patience import PATIENT
from tests.support.servers import BreakableServer
from tests.support.waiting import wait_for


def window(rate: str = "3/h") -> Window:
    return Window(key=f"test:{uuid4()}", rate=parse(rate))


def shared() -> Storage:
    return InRedis(settings.REDIS_URL, timeout=PATIENT)


@pytest.mark.parametrize("make", [shared, InMemory])
def test_so_many_pass_and_no_more_and_looking_takes_nothing(make: Callable[[], Storage]) -> None:
    storage, one = make(), window()
    assert (storage.look(one).remaining, storage.look(one).reset_seconds) == (3, 0)
    hits = [storage.hit(one) for _ in range(5)]
    assert [hit.allowed for hit in hits] == [True] * 3 + [False] * 2
    assert [hit.remaining for hit in hits] == [2, 1, 0, 0, 0]
    looked = storage.look(one)
    assert (looked.allowed, looked.remaining, looked.limit) == (False, 0, 3)
    assert 3000 < looked.reset_seconds <= 3600
    assert storage.hit(window()).remaining == 2


@pytest.mark.parametrize("make", [shared, InMemory])
def test_of_many_threads_exactly_as_many_pass(make: Callable[[], Storage]) -> None:
    storage, one = make(), window("20/h")
    with ThreadPoolExecutor(50) as pool:
        hits = list(pool.map(lambda _: storage.hit(one), range(300)))
    assert sum(hit.allowed for hit in hits) == 20


def test_a_redis_that_lost_its_scripts_is_given_them_and_counts_once() -> None:
    storage, one = shared(), window()
    assert storage.hit(one).remaining == 2
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.script_flush()
    assert storage.hit(one).remaining == 1


def test_in_memory_hits_leave_after_their_time_and_are_forgotten() -> None:
    now = 0.0
    storage, one = InMemory(lambda: now), window("2/10s")
    storage.hit(one)
    now = 4.0
    storage.hit(one)
    now = 9.9
    assert (storage.hit(one).allowed, storage.look(one).reset_seconds) == (False, 1)
    now = 10.1
    assert (storage.hit(one).allowed, storage.look(one).reset_seconds) == (True, 4)
    now = 100.0
    storage.look(window())
    assert one.key not in storage._hits


@pytest.mark.parametrize(
    ("used", "oldest", "now", "reset"),
    [(0, 5.0, 5.0, 0), (1, 5.0, 5.0, 60), (1, 5.0, 5.1, 60), (1, 5.0, 64.9, 1), (1, 5.0, 70.0, 1),
     (1, 9.0, 5.0, 60)],
)  # fmt: skip
def test_the_reset_is_in_whole_seconds_never_0_and_never_longer_than_the_window(
    used: int, oldest: float, now: float, reset: int
) -> None:
    one = standing(parse("3/m"), used=used, oldest=oldest, now=now, allowed=True)
    assert one.reset_seconds == reset


def test_rates_by_plan_are_read() -> None:
    rates = parse_rates("10/m, premium=60/m ,platform=5/s")
    assert [str(rates.of(plan)) for plan in ("free", "premium", "platform")] == [
        "10/m", "60/m", "5/s",
    ]  # fmt: skip


# --- Without Redis -----------------------------------------------------------------------------


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[BreakableServer]:
    tmp_path.chmod(0o711)
    account = server_account()
    server = BreakableServer(prepare_valkey(server_home(tmp_path, account), account), tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGKILL)


def test_without_redis_the_process_counts_on_from_what_it_has_counted(
    valkey: BreakableServer, caplog: pytest.LogCaptureFixture
) -> None:
    limiter, one = Limiter(InRedis(valkey.url, timeout=PATIENT), InMemory()), [window()]
    assert limiter.hit(one).remaining == 2
    valkey.stop(signal.SIGKILL)
    with caplog.at_level(logging.INFO, logger=limiting.__name__):
        assert [limiter.hit(one).allowed for _ in range(3)] == [True, True, False]
    assert len(caplog.records) == 1  # not one a call


def test_nobody_is_refused_because_redis_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
    limiter = Limiter(InRedis(url), InMemory())
    assert limiter.hit([window(), window()]).allowed
    assert limiter.look([window()]).allowed


def test_redis_takes_over_when_it_is_back(
    valkey: BreakableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting, "BREAK_SECONDS", 0.05)
    limiter, one = Limiter(InRedis(valkey.url, timeout=PATIENT), InMemory()), [window("50/h")]
    valkey.stop(signal.SIGKILL)
    assert limiter.hit(one).allowed
    valkey.start()
    in_redis = InRedis(valkey.url, timeout=PATIENT)
    wait_for(
        lambda: limiter.hit(one) and in_redis.look(one[0]).remaining < 50,
        seconds=60,
        what="hits are counted in Redis again",
    )


class Silent:
    """A Redis that accepts everybody and answers nobody; it counts who asked."""

    def __init__(self) -> None:
        self.asked = 0

    def hit(self, window: Window) -> object:
        self.asked += 1
        raise redis.TimeoutError

    look = hit


@pytest.fixture
def long_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of them ends while a test runs, however slow the machine."""
    monkeypatch.setattr(limiting, "BREAK_SECONDS", 3_600.0)


def test_while_redis_is_silent_one_call_waits_and_the_others_do_not(long_breaks: None) -> None:
    silent = Silent()
    limiter = Limiter(silent, InMemory())  # type: ignore[arg-type]  # it never answers
    for _ in range(100):
        assert limiter.hit([window(), window()]).allowed
    assert silent.asked == 1


def test_after_a_break_one_of_many_calls_asks_again(long_breaks: None) -> None:
    silent = Silent()
    limiter = Limiter(silent, InMemory())  # type: ignore[arg-type]  # it never answers
    limiter.hit([window()])
    limiter._ask_again_at = 0.0
    with ThreadPoolExecutor(20) as pool:
        assert all(hit.allowed for hit in pool.map(lambda _: limiter.hit([window()]), range(200)))
    assert silent.asked == 2


class Counted(InRedis):
    asked = 0

    def hit(self, window: Window) -> Standing:
        self.asked += 1
        return super().hit(window)


def test_a_frozen_redis_is_not_asked_by_every_call(valkey: BreakableServer) -> None:
    counted = Counted(valkey.url)
    limiter, one = Limiter(counted, InMemory()), [window("1000/h")]
    limiter.hit(one)
    process = valkey._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        before = time.monotonic()
        assert all(limiter.hit(one).allowed for _ in range(500))
        breaks = (time.monotonic() - before) / limiting.BREAK_SECONDS
        assert counted.asked <= 1 + 1 + breaks  # before the frost, the first in it, one a break
    finally:
        process.send_signal(signal.SIGCONT)
