"""A look at another server that never keeps its callers waiting long."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Sight:
    """`seconds`: how long the answer took; None without one."""

    answers: bool
    seconds: float | None = None


_NO_ANSWER = Sight(answers=False)


@dataclass(kw_only=True)
class _Look:
    began_at: float
    ended_at: float | None = None
    sight: Sight = _NO_ANSWER
    done: threading.Event = field(default_factory=threading.Event)


class Probe:
    """However many ask, at most one look is under way, and its answer serves all for a second.

    It runs in a thread of its own, since no time-out of a client covers every wait (a name server
    that does not answer). Who has waited `patience` seconds for it is told that there is none.
    """

    def __init__(
        self, name: str, look: Callable[[], object], *, patience: float = 1.5, fresh: float = 1.0
    ) -> None:
        self._name = name
        self._look_there = look
        self._patience, self._fresh = patience, fresh
        self._lock = threading.Lock()
        self._look: _Look | None = None

    def sight(self) -> Sight:
        look = self._present_look()
        look.done.wait(max(0.0, look.began_at + self._patience - time.monotonic()))
        return look.sight

    def _present_look(self) -> _Look:
        with self._lock:
            if self._look is None or self._is_old(self._look):
                self._look = _Look(began_at=time.monotonic())
                threading.Thread(
                    target=self._run, args=(self._look,), name=f"probe {self._name}", daemon=True
                ).start()
            return self._look

    def _is_old(self, look: _Look) -> bool:
        return look.ended_at is not None and time.monotonic() - look.ended_at > self._fresh

    def _run(self, look: _Look) -> None:
        try:
            self._look_there()
            seconds = time.monotonic() - look.began_at
            look.sight = Sight(answers=True, seconds=seconds)
        except Exception as error:  # noqa: BLE001 (every client has errors of its own)
            logger.warning("%s does not answer: %s", self._name, type(error).__name__)
        finally:
            look.ended_at = time.monotonic()
            look.done.set()
