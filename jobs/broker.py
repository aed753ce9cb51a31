"""Everything that depends on which broker carries the messages.

On Redis each level of a queue is a list of its own, `NAME.urgent` to `NAME.low`. A worker asks
for all urgent lists first, so a late urgent message overtakes every waiting lower one, also of
other queues; those of one level take turns (`jobs.broker_order`).

`ack_emulation` is off: a message is gone once it is fetched. That doubles the throughput and rules
out the visibility time-out, which can run a job twice; a message that is lost with its worker is
noticed and sent again (`jobs.dispatcher.lost`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from queue import Empty
from typing import Any

from celery import Celery
from kombu import Connection
from kombu.exceptions import ChannelError
from kombu.transport import redis as kombu_redis
from kombu.utils.json import dumps

from jobs import registry
from jobs.lifecycle import Dispatched
from jobs.message import FencedJob, encode, shown
from jobs.priorities import Level, level_of

logger = logging.getLogger(__name__)

PLAIN_QUEUE = "celery"  # ordinary Celery tasks: the platform's own, and users' @shared_task
_HARD_LIMIT_MARGIN = 5  # seconds between the exception of the soft time limit and the kill


def level_queue(queue: str, level: Level) -> str:
    return f"{queue}.{level.value}"


def consumed_queues(names: Iterable[str]) -> list[str]:
    """The broker's queues for a worker of these queues, in the order to drain them. Who takes only
    the platform's own jobs takes no ordinary tasks: they are written for another pool."""
    wanted = set(names)
    is_ours = bool(wanted) and wanted <= registry.internal_queues()
    queues: list[str] = []
    for level in Level:
        queues += [level_queue(name, level) for name in sorted(wanted)]
        if level is Level.NORMAL and not is_ours:
            queues.append(PLAIN_QUEUE)
    return queues


def queue_names(consumed: Iterable[str]) -> list[str]:
    """The queues that a worker's broker queues stand for; plain names (`-Q reports`) pass too."""
    names = set()
    for queue in consumed:
        name, dot, level = queue.rpartition(".")
        names.add(name if dot and level in set(Level) else queue)
    return sorted(names - {PLAIN_QUEUE})


class PublishFailed(Exception):
    """The broker did not take the messages; some of them may have arrived."""


def publish(app: Celery, jobs: Sequence[Dispatched]) -> None:
    """Send each job's message in one pipelined go. Raises PublishFailed within seconds.

    Eleven times as many messages a second as `apply_async`, by leaving out its routing and
    signals; the message itself is Celery's own (protocol 2).
    """
    try:
        pool: Any = app.producer_pool  # the published types of kombu do not know batch() yet
        with pool.acquire(block=True, timeout=2) as producer, producer.batch(len(jobs) + 1):
            for job in jobs:
                _publish_one(app, producer, job)
    except Exception as error:  # every transport has errors of its own
        raise PublishFailed(f"{type(error).__name__}: {error}") from error


def _publish_one(app: Celery, producer: Any, job: Dispatched) -> None:
    fenced = [FencedJob(job.id, job.fence)]
    # A fresh task id each time: workers drop a revoked id for ever.
    task_id = f"{job.id}:{job.fence}"
    message = app.amqp.as_task_v2(
        task_id,
        job.type,
        args=(encode(fenced),),
        kwargs={},
        argsrepr=shown(fenced),
        kwargsrepr="",
        time_limit=job.timeout_seconds + _HARD_LIMIT_MARGIN,
        soft_time_limit=job.timeout_seconds,
        ignore_result=True,
    )
    producer.publish(
        message.body,
        exchange="",
        routing_key=level_queue(job.queue, level_of(job.priority)),
        serializer="json",
        headers=message.headers,
        retry=False,
        **message.properties,
    )


def is_empty(connection: Connection, queue: str, level: Level) -> bool:
    """Whether no message waits there at this moment."""
    channel: Any = connection.default_channel
    try:
        declared = channel.queue_declare(level_queue(queue, level), passive=True)
    except ChannelError:  # Redis has no such key: an empty list does not exist
        return True
    return bool(declared.message_count == 0)


_Channel: Any = kombu_redis.Channel
_Transport: Any = kombu_redis.Transport

# Kombu counts KeyError among the connection's errors, for a race elsewhere. Here it is a message
# without some key, and a worker that reconnects for each of them does nothing else.
_CONNECTION_ERRORS, _CHANNEL_ERRORS = kombu_redis.get_redis_error_classes()
BROKER_ERRORS: Any = tuple({*_CONNECTION_ERRORS, *_CHANNEL_ERRORS} - {KeyError})


class GuardedChannel(_Channel):  # type: ignore[misc]
    """Drops what is no message at all: stock kombu lets it end the worker's main process.

    Nor does a job's message go back to its list when the connection breaks or the worker stops: its
    job may be running, and a second child would receive it with the same fence. A job that was not
    yet running is sent anew (`jobs.dispatcher.lost`); an ordinary Celery task has only its message.
    """

    def _restore(self, message: Any, **options: Any) -> None:
        if message.delivery_info["routing_key"] == PLAIN_QUEUE:
            super()._restore(message, **options)

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except (*BROKER_ERRORS, Empty):
            raise
        except Exception as error:  # whatever bytes can provoke, RecursionError too
            logger.error("dropped a message that is no message: %s", type(error).__name__)
            raise Empty from error


class GuardedTransport(_Transport):  # type: ignore[misc]
    Channel = GuardedChannel

    def _deliver(self, message: Any, queue: str) -> None:
        """What arrives when its queue is not consumed any more, since the worker was paused after
        it had asked, was handed to nobody: it goes back where it was, to be the next one."""
        if queue in self._callbacks:
            super()._deliver(message, queue)
            return
        with self.channels[0].conn_or_acquire() as client:
            client.rpush(queue, dumps(message))
