"""Commands to Redis that nobody waits for: nudges, and entries for those who watch live.

They only make things quicker: no answer of Celeriac depends on them. So whoever says them waits for
Redis 100 ms at the most, and after a failure not at all for a second. What takes longer is left to
a thread, the sender; what Redis did not take within two seconds is dropped.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import redis
from django.conf import settings

T = TypeVar("T")
Command = tuple[str | bytes | int, ...]
_Waiting = tuple[Command, Command | None]

SOON_SECONDS = 0.05
MOST_WAITING = 10_000
_TOGETHER = 1_000
_HASTE_SECONDS = 0.1
_PATIENCE_SECONDS = 2.0
_BREAK_SECONDS = 1.0
_AWAY = (redis.RedisError, OSError)


class Wire:
    """One for a process. `say` sends at once, and with it whatever waits; `say_soon` lets a command
    wait for the next `say`, at most SOON_SECONDS: most often one is about to come. Should it be
    dropped, `instead` is sent later, once for all that were: who reads must know of the loss.

    What a thread says is sent in its order: while anything is on its way, nothing else is sent.
    """

    def __init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """In a forked child: the parent's connections, thread and waiting commands are not ours,
        and its lock may be held."""
        self._lock = threading.Lock()
        # Of whoever sends: one thread at a time. A signal may raise in it anywhere, so that nobody
        # can say whether it was taken; of this kind only its owner can let it go.
        self._turn = threading.RLock()
        self._pools: dict[float, redis.ConnectionPool] = {}
        self._silent_until = 0.0
        self._waiting: deque[_Waiting] = deque()
        self._late: deque[tuple[_Exchange, list[_Waiting]]] = deque()
        self._owed: dict[Command, None] = {}
        self._some_wait = threading.Event()
        self._hurry = threading.Event()  # what waits was to be sent at once
        self._sender: threading.Thread | None = None

    def say(self, *commands: Command) -> None:
        if time.monotonic() < self._silent_until or self._say_in_turn(commands, within=0):
            return
        for command in commands:  # what this thread said before may be on its way
            self.say_soon(command)
        self._hurry.set()

    def say_soon(self, command: Command, *, instead: Command | None = None) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._owe([(command, instead)])
            return
        self._waiting.append((command, instead))
        if not self._some_wait.is_set():
            self._wake_sender()

    def flush(self) -> None:
        """Wait until Redis has what waits and what is owed, or does not take it."""
        with self._turn:
            for exchange, batch in _taken(self._late):
                self._hear_out(exchange, batch)
            while batch := _taken(self._waiting):
                self._send_with_patience(batch)
            if owed := self._owing():
                self._send_with_patience([(command, command) for command in owed])

    def say_last(self) -> None:
        """The process ends: send what waits, without patience."""
        if self._waiting and time.monotonic() >= self._silent_until:
            self._say_in_turn((), within=_HASTE_SECONDS)

    # --- sending -------------------------------------------------------------------------------

    def _say_in_turn(self, commands: tuple[Command, ...], *, within: float) -> bool:
        """Whether it was this thread's turn."""
        turn = self._turn
        try:
            if not turn.acquire(timeout=within):
                return False
            if not self._late:  # else what waits is the sender's
                self._waiting.extend((command, None) for command in commands)
                if batch := _taken(self._waiting):
                    self._send_in_haste(batch)
            return True
        finally:
            with suppress(RuntimeError):
                turn.release()

    def _send_in_haste(self, batch: list[_Waiting]) -> None:
        try:
            exchange = _Exchange(self._pool(_HASTE_SECONDS))
        except _AWAY:  # nothing was sent: the sender may still do so
            self._silent_until = time.monotonic() + _BREAK_SECONDS
            self._waiting.extendleft(one for one in reversed(batch) if one[1] is not None)
            self._wake_sender()
            return
        with self._dropping(batch):
            if not exchange.is_over(batch):
                self._silent_until = time.monotonic() + _BREAK_SECONDS
                self._late.append((exchange, batch))
                self._wake_sender()

    def _send_with_patience(self, batch: list[_Waiting]) -> None:
        with self._dropping(batch):
            exchange = _Exchange(self._pool(_PATIENCE_SECONDS))
            if not exchange.is_over(batch):
                exchange.give_up()
                raise redis.TimeoutError

    def _hear_out(self, exchange: _Exchange, batch: list[_Waiting]) -> None:
        """What was sent in haste is answered late."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self._dropping(batch):
            while not exchange.is_answered():
                if time.monotonic() >= deadline:
                    exchange.give_up()
                    raise redis.TimeoutError

    @contextmanager
    def _dropping(self, batch: list[_Waiting]) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self._silent_until = time.monotonic() + _BREAK_SECONDS
            self._owe(batch)
            if not isinstance(error, _AWAY):
                raise

    def _owe(self, dropped: list[_Waiting]) -> None:
        owed = {instead: None for _, instead in dropped if instead is not None}
        if owed and len(self._owed) < MOST_WAITING:
            with self._lock:
                self._owed.update(owed)
            self._wake_sender()

    def _owing(self) -> dict[Command, None]:
        """What is owed is not any more: it is about to be sent."""
        with self._lock:
            owed, self._owed = self._owed, {}
        return owed

    def _pool(self, seconds: float) -> redis.ConnectionPool:
        """Of connections on which nothing takes longer."""
        with self._lock:
            if seconds not in self._pools:
                self._pools[seconds] = redis.ConnectionPool.from_url(
                    settings.REDIS_URL,
                    socket_timeout=seconds,
                    socket_connect_timeout=seconds,
                    retry=None,
                )
            return self._pools[seconds]

    # --- the sender ----------------------------------------------------------------------------

    def _wake_sender(self) -> None:
        """Without a thread, where the system has none to give, commands wait for the next `say`."""
        self._some_wait.set()
        if self._sender is not None and self._sender.is_alive():
            return
        with self._lock, suppress(RuntimeError):
            sender = threading.Thread(target=self._keep_sending, name="wire", daemon=True)
            sender.start()
            self._sender = sender

    def _keep_sending(self) -> None:
        while True:
            self._some_wait.wait()
            self._hurry.wait(_BREAK_SECONDS if self._owed else SOON_SECONDS)
            self._hurry.clear()  # both before the last look: what comes after it wakes this again
            self._some_wait.clear()
            self.flush()
            if self._owed or self._waiting:
                self._some_wait.set()


class _Exchange:
    """Commands on their way over a connection of their own, until each is answered."""

    def __init__(self, pool: redis.ConnectionPool) -> None:
        """Raises what stands in _AWAY, as the rest does."""
        self._pool = pool
        self._line: Any = pool.get_connection()
        self._unanswered = 0

    def is_over(self, batch: list[_Waiting]) -> bool:
        """Send, and say whether all answers came in time."""
        try:
            packed = self._line.pack_commands([command for command, _ in batch])
            self._line.send_packed_command(packed)
        except BaseException:
            self.give_up()
            raise
        self._unanswered = len(batch)
        return self.is_answered()

    def is_answered(self) -> bool:
        """Whether the answers that are still out came in time; what they say matters to nobody."""
        try:
            while self._unanswered:
                with suppress(redis.ResponseError):
                    self._line.read_response(disconnect_on_error=False)
                self._unanswered -= 1
        except redis.TimeoutError:
            return False
        except BaseException:
            self.give_up()
            raise
        self._pool.release(self._line)
        return True

    def give_up(self) -> None:
        """The connection is shut: else whoever had it next would read stale answers."""
        self._line.disconnect()
        self._pool.release(self._line)


def _taken(waiting: deque[T]) -> list[T]:
    """The first that wait; other threads take from there, too."""
    taken: list[T] = []
    while waiting and len(taken) < _TOGETHER:
        try:
            taken.append(waiting.popleft())
        except IndexError:
            break
    return taken


_wire = Wire()
os.register_at_fork(after_in_child=_wire.start_anew)
atexit.register(_wire.say_last)

say, say_soon = _wire.say, _wire.say_soon
flush, start_anew = _wire.flush, _wire.start_anew
