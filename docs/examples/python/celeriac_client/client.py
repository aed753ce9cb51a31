"""The calls of the API that programs make most."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, Unpack
from uuid import uuid4

import requests

from celeriac_client import events
from celeriac_client.documents import (
    FINAL,
    Batch,
    Event,
    File,
    Job,
    JobOptions,
    NewBatch,
    NewJob,
    Schedule,
    ScheduleChanges,
    ScheduleOptions,
)
from celeriac_client.errors import Waited
from celeriac_client.sending import Sender
from celeriac_client.webhooks import (
    Delivery,
    Endpoint,
    EndpointChanges,
    EndpointOptions,
    NewEndpoint,
    NewSecret,
    WholeDelivery,
)

T = TypeVar("T")
_FIRST_LOOK, _LONGEST_LOOK = 0.2, 5.0


class Client:
    """A token at work. What creates is sent with an Idempotency-Key, so that a request whose answer
    got lost is made again without making a second job."""

    def __init__(
        self, url: str, token: str, *, tenant: str | None = None, patience: float = 60
    ) -> None:
        self._sender = Sender(url, token, tenant=tenant, patience=patience)

    @classmethod
    def from_environment(cls) -> Client:
        """By CELERIAC_URL and CELERIAC_TOKEN."""
        url = os.environ.get("CELERIAC_URL", "http://127.0.0.1:8000")
        return cls(url, os.environ["CELERIAC_TOKEN"])

    # --- jobs ------------------------------------------------------------------------------

    def create(
        self,
        type: str,  # the API's own word
        payload: Mapping[str, Any],
        *,
        key: str | None = None,
        **options: Unpack[JobOptions],
    ) -> Job:
        """A new job, or the one that holds its unique key. `key`: an Idempotency-Key of your own,
        that also outlives your program."""
        body = {"type": type, "payload": payload, **options}
        job: Job = self._create("/jobs", key, json=body)
        return job

    def get(self, job_id: str) -> Job:
        job: Job = self._get(f"/jobs/{job_id}")
        return job

    def list(self, **filters: str | bool | Sequence[str]) -> Iterator[Job]:
        """Newest first, page after page. Filters as of `GET /jobs`."""
        asked = {name: _text(value) for name, value in filters.items()}
        return self._pages("/jobs", asked)

    def wait(self, job_id: str, *, seconds: float = 600) -> Job:
        """The job, once it has ended. Raises Waited."""
        return _until(lambda: self.get(job_id), lambda job: job["status"] in FINAL, seconds)

    def cancel(self, job_id: str) -> Job:
        job: Job = self._sender.send("POST", f"/jobs/{job_id}/cancel", again=True)
        return job

    def retry(self, job_id: str, payload: Mapping[str, Any] | None = None) -> Job:
        """Run a failed or cancelled job again, with another payload if one is given."""
        body = {} if payload is None else {"payload": payload}
        job: Job = self._sender.send("POST", f"/jobs/{job_id}/retry", json=body)
        return job

    # --- batches and files -----------------------------------------------------------------

    def create_batch(
        self,
        jobs: Sequence[NewJob],
        *,
        name: str = "",
        atomic: bool = False,
        key: str | None = None,
    ) -> NewBatch:
        """Many jobs at once; `atomic`: all or none."""
        body = {"name": name, "jobs": jobs, "atomic": atomic}
        made: NewBatch = self._create("/batches", key, json=body)
        return made

    def get_batch(self, batch_id: str) -> Batch:
        batch: Batch = self._get(f"/batches/{batch_id}")
        return batch

    def wait_for_batch(self, batch_id: str, *, seconds: float = 3600) -> Batch:
        """The batch, once all its jobs have ended. Raises Waited."""
        return _until(
            lambda: self.get_batch(batch_id), lambda batch: batch["progress"] == 100, seconds
        )

    def upload(self, path: Path | str, *, key: str | None = None) -> File:
        """Hand in a file for jobs to work on. It is in memory meanwhile."""
        path = Path(path)
        file: File = self._create("/files", key, files={"file": (path.name, path.read_bytes())})
        return file

    # --- schedules -------------------------------------------------------------------------

    def create_schedule(
        self,
        name: str,
        type: str,
        cron_expression: str,
        *,
        key: str | None = None,
        **options: Unpack[ScheduleOptions],
    ) -> Schedule:
        """A job again and again. Raises Conflict where there is one of this name."""
        body = {"name": name, "type": type, "cron_expression": cron_expression, **options}
        schedule: Schedule = self._create("/schedules", key, json=body)
        return schedule

    def get_schedule(self, schedule_id: str) -> Schedule:
        schedule: Schedule = self._get(f"/schedules/{schedule_id}")
        return schedule

    def change_schedule(self, schedule_id: str, **changes: Unpack[ScheduleChanges]) -> Schedule:
        """What is left out stays."""
        path = f"/schedules/{schedule_id}"
        schedule: Schedule = self._sender.send("PATCH", path, again=True, json=changes)
        return schedule

    def run_schedule(self, schedule_id: str, *, key: str | None = None) -> Job:
        """Run it now, by hand."""
        job: Job = self._create(f"/schedules/{schedule_id}/run", key)
        return job

    def delete_schedule(self, schedule_id: str) -> None:
        """Its jobs stay."""
        self._sender.send("DELETE", f"/schedules/{schedule_id}")

    # --- webhooks --------------------------------------------------------------------------

    def create_endpoint(
        self, url: str, *, key: str | None = None, **options: Unpack[EndpointOptions]
    ) -> NewEndpoint:
        """A URL that is told of what happens from now on. Its `secret` is in this answer only."""
        body = {"url": url, **options}
        endpoint: NewEndpoint = self._create("/webhook-endpoints", key, json=body)
        return endpoint

    def endpoints(self) -> Iterator[Endpoint]:
        """Newest first, page after page."""
        return self._pages("/webhook-endpoints", {})

    def get_endpoint(self, endpoint_id: str) -> Endpoint:
        endpoint: Endpoint = self._get(f"/webhook-endpoints/{endpoint_id}")
        return endpoint

    def change_endpoint(self, endpoint_id: str, **changes: Unpack[EndpointChanges]) -> Endpoint:
        """What is left out stays."""
        path = f"/webhook-endpoints/{endpoint_id}"
        endpoint: Endpoint = self._sender.send("PATCH", path, again=True, json=changes)
        return endpoint

    def rotate_secret(
        self, endpoint_id: str, *, keep_seconds: int = 86_400, key: str | None = None
    ) -> NewSecret:
        """A new secret, in this answer only; the one before signs as well for so long."""
        path, body = (
            f"/webhook-endpoints/{endpoint_id}/rotate-secret",
            {"keep_seconds": keep_seconds},
        )
        secret: NewSecret = self._create(path, key, json=body)
        return secret

    def test_endpoint(self, endpoint_id: str, *, key: str | None = None) -> Delivery:
        """Send it `endpoint.test`."""
        delivery: Delivery = self._create(f"/webhook-endpoints/{endpoint_id}/test", key)
        return delivery

    def delete_endpoint(self, endpoint_id: str) -> None:
        """The log of its deliveries stays its time."""
        self._sender.send("DELETE", f"/webhook-endpoints/{endpoint_id}")

    def deliveries(self, **filters: str) -> Iterator[Delivery]:
        """Newest first, page after page. Filters as of `GET /webhook-deliveries`."""
        return self._pages("/webhook-deliveries", filters)

    def get_delivery(self, delivery_id: str) -> WholeDelivery:
        delivery: WholeDelivery = self._get(f"/webhook-deliveries/{delivery_id}")
        return delivery

    def redeliver(self, delivery_id: str) -> Delivery:
        """Send it again; one that is on its way already stays as it is."""
        path = f"/webhook-deliveries/{delivery_id}/redeliver"
        delivery: Delivery = self._sender.send("POST", path)
        return delivery

    # --- events ----------------------------------------------------------------------------

    def events(
        self, *, job_id: str | None = None, batch_id: str | None = None, owner: str | None = None
    ) -> Iterator[Event]:
        """What happens, as it happens; first each job as it stands. With one `job_id` until that
        job has ended, else without end."""
        asked = {"job_id": job_id, "batch_id": batch_id, "owner": owner}

        def open_stream(headers: dict[str, str], timeout: tuple[float, float]) -> requests.Response:
            return self._sender.open(
                "GET", "/events", params=asked, headers=headers, timeout=timeout, stream=True
            )

        return events.events(open_stream)

    # --- sending ---------------------------------------------------------------------------

    def _pages(self, path: str, asked: Mapping[str, Any]) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page = self._get(path, params={**asked, "cursor": cursor, "limit": 200})
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _get(self, path: str, **options: Any) -> Any:
        return self._sender.send("GET", path, again=True, **options)

    def _create(self, path: str, key: str | None, **options: Any) -> Any:
        headers = {"Idempotency-Key": key or str(uuid4())}
        return self._sender.send("POST", path, again=True, headers=headers, **options)


def _text(value: str | bool | Sequence[str]) -> str | Sequence[str]:
    return str(value).lower() if isinstance(value, bool) else value


def _until(look: Callable[[], T], is_over: Callable[[T], bool], seconds: float) -> T:
    deadline, pause = time.monotonic() + seconds, _FIRST_LOOK
    while True:
        found = look()
        if is_over(found):
            return found
        if time.monotonic() + pause > deadline:
            raise Waited(f"not over after {seconds:g} seconds")
        time.sleep(pause)
        pause = min(1.5 * pause, _LONGEST_LOOK)
