"""Addresses of names, in a time that the caller bounds.

The system's resolver cannot be told to stop, so each question is asked in a thread of its own and
left behind when the time is over. At most `_MOST_AT_ONCE` are asked at once, those left behind
included, and `_MOST_OF_ONE` for one party, so that one whose names hang does not take the room of
the others. Who finds no room in his time is told that the name took too long.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue

from jobs.egress.bounds import Bounds
from jobs.egress.seats import Seats

_MOST_AT_ONCE = 64
_MOST_OF_ONE = 8


class NameNotFound(Exception):
    """The name has no address."""


class NameTimedOut(Exception):
    """Nobody knew it in time."""


def addresses_of_system(name: str) -> Sequence[str]:
    """Every address that this machine's resolver knows; raises OSError where it knows none."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


resolver: Callable[[str], Sequence[str]] = addresses_of_system
"""Tests put their own in its place."""

_room = Seats(_MOST_AT_ONCE, _MOST_OF_ONE)


def addresses_of(name: str, bounds: Bounds, party: str = "") -> tuple[str, ...]:
    """The addresses, asked for once, each named once; raises the two errors above."""
    room = _room
    if not room.take(party, seconds=bounds.left()):
        raise NameTimedOut
    answers: SimpleQueue[Sequence[str] | None] = SimpleQueue()
    ask = partial(_ask, name, answers, partial(room.give_back, party))
    try:
        threading.Thread(target=ask, name=f"name-{name[:40]}", daemon=True).start()
    except RuntimeError:  # no thread to be had: it would have given the room back
        room.give_back(party)
        raise NameTimedOut from None
    found = _answer(answers, bounds)
    if not found:
        raise NameNotFound
    return tuple(dict.fromkeys(found))


def _answer(answers: SimpleQueue[Sequence[str] | None], bounds: Bounds) -> Sequence[str] | None:
    while True:
        try:
            return answers.get(timeout=bounds.wait())
        except Empty:
            continue
        except TimeoutError:
            raise NameTimedOut from None


def _ask(
    name: str,
    answers: SimpleQueue[Sequence[str] | None],
    leave: Callable[[], None],
) -> None:
    found: Sequence[str] | None = None
    try:
        found = resolver(name)
    except (OSError, UnicodeError):
        found = None
    finally:
        leave()
        answers.put(found)


def _start_anew() -> None:
    """A child process has none of its parent's threads, so nobody would give their room back."""
    global _room
    _room = Seats(_MOST_AT_ONCE, _MOST_OF_ONE)


os.register_at_fork(after_in_child=_start_anew)
