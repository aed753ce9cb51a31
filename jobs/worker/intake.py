"""Which queues a worker takes jobs from: those it was asked for, or all there are.

`-Q reports,default` or WORKER_QUEUES name queues. Without either a worker takes all of them, also
those that are made later, but not those of the platform's own jobs: `-Q webhooks` takes those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from jobs import broker, registry
from jobs.models import Queue


class Intake:
    """The keeper decides what is taken, in its thread; the consumer does it, in its own."""

    def __init__(self, worker: Any) -> None:
        """Called before the consumer is made; selects what it begins with."""
        self._worker = worker
        known = worker.app.amqp.queues
        self._asked = broker.queue_names(known.consume_from) or list(settings.WORKER_QUEUES)
        self.queues: Sequence[str] = self._asked or _all_queues()
        self._told = self._broker_queues(is_open=True)
        known.select(self._told)

    def look_for_new_queues(self) -> None:
        if not self._asked:
            self.queues = _all_queues()

    def tell(self, *, is_open: bool) -> None:
        """Take from these queues from now on; where not `is_open`, from none."""
        wanted = self._broker_queues(is_open=is_open)
        consumer = getattr(self._worker, "consumer", None)
        if wanted == self._told or consumer is None:
            return
        self._told = wanted
        consumer.take_only(wanted)

    def _broker_queues(self, *, is_open: bool) -> list[str]:
        return broker.consumed_queues(self.queues) if is_open else []


def _all_queues() -> list[str]:
    """Those of the platform's own jobs have workers that name them."""
    known = sorted(Queue.objects.filter(internal=False).values_list("name", flat=True))
    return known or sorted(registry.queues() - registry.internal_queues())
