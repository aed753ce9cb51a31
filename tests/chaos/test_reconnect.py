"""What a worker does with the messages in its hands when the broker hangs up on it."""

from __future__ import annotations

import json
from typing import Any

from kombu import Connection

from jobs.states import Status
from tests.support.arena import Arena
from tests.support.waiting import wait_for


def test_the_message_of_a_running_job_is_not_received_again_after_a_reconnect(
    arena: Arena,
) -> None:
    arena.dispatcher(LEASE_SECONDS="30")
    worker = arena.worker(LEASE_SECONDS="30")
    with arena.held():
        job = arena.enqueue("testing.held", seconds=0)
        arena.wait_for_status(job.pk, Status.PROCESSING, seconds=60)
        with arena.redis() as client:
            client.client_kill_filter(_type="normal", skipme=True)
        wait_for(
            lambda: "Connection to broker lost" in worker.log_text(),
            seconds=60, what="it notices",
        )  # fmt: skip
        later = arena.enqueue("testing.work")  # its message comes after any that was put back
        arena.wait_for_status(later.pk, Status.COMPLETED, seconds=60)
    done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=60)

    assert done.attempt == 1
    assert f"job {job.pk}: nothing to claim" not in worker.log_text()


def test_only_ordinary_tasks_go_back_to_their_list_when_a_channel_closes(arena: Arena) -> None:
    options = {"ack_emulation": False}
    with (
        Connection(arena.valkey.url, transport_options=options) as connection,
        arena.redis() as client,
    ):
        channel: Any = connection.channel()
        for queue in ("celery", "default.normal"):
            connection.Producer().publish({}, exchange="", routing_key=queue)
            assert channel.basic_get(queue) is not None
            assert client.llen(queue) == 0

        channel.close()

        assert (client.llen("celery"), client.llen("default.normal")) == (1, 0)


def test_what_arrives_after_its_queue_was_cancelled_is_the_next_one_again(arena: Arena) -> None:
    with Connection(arena.valkey.url) as connection, arena.redis() as client:
        channel: Any = connection.channel()
        for number in (1, 2):
            connection.Producer().publish({"n": number}, exchange="", routing_key="default.low")
        raw: Any = client.rpop("default.low")

        channel.connection._deliver(json.loads(raw), "default.low")

        again: Any = client.rpop("default.low")
        assert json.loads(again) == json.loads(raw)
        assert client.llen("default.low") == 1


def test_it_goes_back_to_the_list_it_came_from_whatever_its_own_words_say(arena: Arena) -> None:
    with Connection(arena.valkey.url) as connection, arena.redis() as client:
        channel: Any = connection.channel()
        connection.Producer().publish({}, exchange="", routing_key="default.high")
        raw: Any = client.rpop("default.high")

        channel.connection._deliver(json.loads(raw), "default.low")
        channel.connection._deliver({"no": "message"}, "default.low")

        assert client.llen("default.high") == 0
        assert client.llen("default.low") == 2
