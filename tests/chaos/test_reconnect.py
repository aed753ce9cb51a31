"""What a worker does with the messages in its hands when the broker hangs up on it."""

from __future__ import annotations

from typing import Any

from kombu import Connection

from jobs.states import Status
from tests.support.arena import Arena
from tests.support.waiting import wait_for
from tests.testapp.trace import traces


def test_the_message_of_a_running_job_is_not_received_again_after_a_reconnect(
    arena: Arena,
) -> None:
    arena.dispatcher()
    worker = arena.worker()
    job = arena.enqueue("testing.work", seconds=5)
    wait_for(lambda: list(traces(arena.trace)), seconds=15, what="its code runs")
    lost = worker.log_text().count("Connection to broker lost")
    with arena.redis() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    wait_for(
        lambda: worker.log_text().count("Connection to broker lost") > lost,
        seconds=20, what="it notices",
    )  # fmt: skip
    later = arena.enqueue("testing.work")  # its message comes after any that was put back

    arena.wait_for_status(later.pk, Status.COMPLETED, seconds=30)
    done = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=30)

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
