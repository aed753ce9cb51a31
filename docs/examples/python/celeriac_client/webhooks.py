"""What the calls about webhooks take and answer. A newer server may answer more."""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class EndpointOptions(TypedDict, total=False):
    """Empty `events`, `types` and `queues` mean all; None in `timeout_seconds` and `retry` is as
    the server is configured."""

    description: str
    events: list[str]
    types: list[str]
    queues: list[str]
    headers: dict[str, str]
    timeout_seconds: int | None
    retry: dict[str, Any] | None
    enabled: bool


class EndpointChanges(EndpointOptions, total=False):
    url: str


class Statistics(TypedDict):
    """Of the deliveries of the last `window_seconds`."""

    window_seconds: int
    pending: int
    delivered: int
    failed: int
    attempts: int
    success_rate: float | None
    seconds_p50: float | None
    seconds_p95: float | None


class Signing(TypedDict):
    """That a secret signs, and until when."""

    created_at: str
    expires_at: str | None


class Endpoint(TypedDict):
    """A URL that is told of events, as it stands. The values of `headers` read `***`."""

    id: str
    url: str
    description: str
    events: list[str]
    types: list[str]
    queues: list[str]
    headers: dict[str, str]
    timeout_seconds: int | None
    retry: dict[str, Any] | None
    enabled: bool
    disabled_because: Literal["by_hand", "gone", "failing"] | None
    disabled_at: str | None
    consecutive_failures: int
    failing_since: str | None
    last_success_at: str | None
    last_failure_at: str | None
    secrets: list[Signing]
    statistics: Statistics
    created_at: str
    updated_at: str
    created_by: str | None


class NewEndpoint(Endpoint):
    """`secret` is in the first answer only: keep it where your receiver finds it."""

    secret: str | None


class NewSecret(TypedDict):
    """Until `expires_at` the secret before signs as well."""

    secret: str | None
    expires_at: str | None


class Delivery(TypedDict):
    """One event on its way to one URL. `event_id` is the header `webhook-id` of each request."""

    id: str
    event_id: str
    event: str
    endpoint_id: str | None
    url: str
    job_id: str | None
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    next_attempt_at: str | None
    delivered_at: str | None
    last_status_code: int | None
    last_error: str | None
    created_at: str


class Attempt(TypedDict):
    """One request, and what came of it."""

    number: int
    url: str
    started_at: str
    duration_seconds: float
    status_code: int | None
    error: str | None
    message: str | None
    answer_start: str


class WholeDelivery(Delivery):
    """With its log, and the very text that is sent."""

    log: list[Attempt]
    body: str
