"""A message that cannot be handled must never stop a worker.

Stock Celery ends the worker over a body that is not `[args, kwargs, embed]` and takes the same
message again after the restart, for ever. Here it is logged, counted, dropped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from celery.worker import consumer, loops
from kombu.exceptions import MessageStateError

from jobs.broker import BROKER_ERRORS
from jobs.worker.identity import Counter
from jobs.worker.misdelivery import Misdelivered
from jobs.worker.taken import named_jobs

logger = logging.getLogger(__name__)

dropped_messages = Counter()
misdelivered = Misdelivered()


_Consumer: Any = consumer.Consumer  # its published types lack what is used here


class GuardedConsumer(_Consumer):  # type: ignore[misc]
    _wanted: Sequence[str] = ()  # the broker's queues, in the order to drain them

    def loop(self, *args: Any) -> None:
        """Celery's own, but for the moment at which it may be ended."""
        if not self.hub:
            loops.synloop(*args)
            return
        with self.controller.stop_signals.between_steps(self.hub):
            loops.asynloop(*args)

    def take_only(self, queues: Sequence[str]) -> None:
        """Consume from these of the broker's queues and no others, from now on and after every
        reconnect. Safe to call in any thread; what was fetched already is run."""
        self._wanted = queues
        self.call_soon(self._take_wanted)

    def _take_wanted(self) -> None:
        """All are cancelled and begun anew: the broker is asked in the order of beginning, and an
        urgent queue that is new must not come after an old one that is low."""
        known, tasks = self.app.amqp.queues, self.task_consumer
        known.deselect(list(known.consume_from))
        known.select(self._wanted)
        if tasks is None:  # no connection now; the next one begins with what is selected
            return
        for queue in tasks.queues:
            tasks.cancel_by_queue(queue)
        for queue in known.consume_from.values():
            tasks.add_queue(queue)
        tasks.consume()
        logger.info("takes jobs from %s", ", ".join(self._wanted) or "no queue")

    def create_task_handler(self, *args: Any, **kwargs: Any) -> Callable[[Any], None]:
        handle = super().create_task_handler(*args, **kwargs)

        def guarded(message: Any) -> None:
            try:
                handle(message)
            except BROKER_ERRORS:
                raise  # Celery reconnects on these
            except Exception as error:  # noqa: BLE001 (whatever a message can provoke)
                self._drop(message, error)

        return guarded

    def on_unknown_message(self, body: Any, message: Any) -> None:
        super().on_unknown_message(body, message)
        dropped_messages.add()

    def on_unknown_task(self, body: Any, message: Any, exc: Any) -> None:
        """A type this worker does not know: the message is withdrawn, the job sent again."""
        dropped_messages.add()
        logger.error("dropped a message for %r: no such job type here", exc.args[:1])
        misdelivered.note(named_jobs(message))
        message.reject_log_error(logger, self.connection_errors)

    def on_invalid_task(self, body: Any, message: Any, exc: Any) -> None:
        super().on_invalid_task(body, message, exc)
        dropped_messages.add()

    def on_decode_error(self, message: Any, exc: Any) -> None:
        self._drop(message, exc)

    def _drop(self, message: Any, error: BaseException) -> None:
        dropped_messages.add()
        logger.error("dropped a message that cannot be handled: %s", type(error).__name__)
        _release(message)


def _release(message: Any) -> None:
    """Give back its place in the prefetch: a worker that lost them all takes nothing more."""
    if message.acknowledged:
        return
    try:
        message.ack()
    except MessageStateError:  # kombu's own reasons not to; the place is taken all the same
        message.channel.basic_ack(message.delivery_tag)
