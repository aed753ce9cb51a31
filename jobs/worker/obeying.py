"""How a worker follows what an operator asked of it.

The wish stands in the worker's row, and the keeper reads it with every report: so it needs no
broker, no remote control, and is not lost with either.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Any, NoReturn

from celery import platforms
from celery.worker import state
from django.db import Error, connection, transaction

from jobs.lifecycle.statement import bound_waits
from jobs.models import Wish, Worker
from jobs.worker.identity import WorkerIdentity
from jobs.worker.intake import Intake

logger = logging.getLogger(__name__)

_state: Any = state  # the published types of both are of another release
_platforms: Any = platforms
_STOPPING = frozenset({Wish.STOP, Wish.RESTART})


class Obedience:
    def __init__(self, worker: Any, intake: Intake) -> None:
        self._worker = worker
        self._intake = intake
        self._wish = Wish.RUN

    def follow(self, wish: Wish) -> None:
        """Called with each reading; does something only where it changed, or the queues did."""
        if wish != self._wish:
            logger.info("this worker is asked to %s", wish.label.lower())
        self._wish = wish
        if wish not in _STOPPING:
            self._intake.tell(is_open=wish != Wish.PAUSE)
        elif not is_stopping():
            self.finish()

    @property
    def comes_back(self) -> bool:
        """Whoever stops the process outright meanwhile, by a signal, has the last word."""
        return self._wish == Wish.RESTART and not is_terminating()

    def finish(self) -> None:
        """Celery's warm shutdown: running jobs end, however long they take. The exit status is 0,
        so a supervisor that restarts failures leaves the worker down."""
        _state.should_stop = 0
        consumer = getattr(self._worker, "consumer", None)
        if consumer is not None:
            consumer.call_soon(_wake)


def may_begin_anew(identity: WorkerIdentity) -> bool:
    """Whether nobody asked for a stop in the last moment. From here on nobody can, until the worker
    is back: it would not be heard. Without the database the last wish that was read holds."""
    asked = Worker.objects.filter(
        pk=identity.name, incarnation=identity.incarnation, wish=Wish.RESTART
    )
    connection.close()  # it may have died long ago, and the database be well
    try:
        with transaction.atomic():
            bound_waits()
            return bool(asked.update(wish=Wish.RUN, stopping=True))
    except Error:
        return True
    finally:
        connection.close()


def begin_anew() -> NoReturn:
    """Become the same program again, with the same process id and arguments. Never returns."""
    sys.stdout.flush()
    sys.stderr.flush()
    logging.shutdown()
    try:
        _platforms.close_open_fds([sys.__stdin__, sys.__stdout__, sys.__stderr__])
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
    except OSError as error:  # an interpreter that was replaced; a supervisor can still help
        os.write(2, f"cannot begin anew: {error}\n".encode())
    os._exit(1)


def is_stopping() -> bool:
    """Celery keeps the exit status there, and 0 is one."""
    return _is_set(_state.should_stop) or is_terminating()


def is_terminating() -> bool:
    return _is_set(_state.should_terminate)


def _is_set(flag: Any) -> bool:
    return flag is not None and flag is not False


def _wake() -> None:
    """The consumer's loop looks at the flag each time it turns."""
