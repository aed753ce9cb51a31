"""What the calls about webhooks take and answer, by model, as the published schema shows it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from webhooks.api.bodies import Enabling, Rotation
from webhooks.api.deliveries_documents import DeliveryDocument, WholeDeliveryDocument
from webhooks.api.documents import (
    EnabledEndpointDocument,
    EndpointDocument,
    NewEndpointDocument,
    NewSecretDocument,
    ReplayedDocument,
)

_ID = "0199a1c4-3a5f-7d02-8e11-5b7c9d1f2a30"
_URL = "https://shop.example/hooks/jobs"
_MADE, _SENT = "2026-01-31T12:00:00.124551Z", "2026-01-31T12:05:01.310022Z"
_SECRET = "whsec_" + "q" * 43 + "="  # the form of one; nothing is signed with it
_ENDPOINT = {
    "id": _ID,
    "url": _URL,
    "description": "The shop's order desk.",
    "events": ["job.completed", "job.failed"],
    "types": [],
    "queues": [],
    "headers": {"X-Desk": "***"},
    "timeout_seconds": None,
    "retry": {"max_attempts": 5, "backoff_seconds": 30},
    "enabled": True,
    "disabled_because": None,
    "disabled_at": None,
    "consecutive_failures": 0,
    "failing_since": None,
    "last_success_at": _SENT,
    "last_failure_at": None,
    "secrets": [{"created_at": _MADE, "expires_at": None}],
    "statistics": {
        "window_seconds": 86_400,
        "pending": 1,
        "delivered": 18,
        "failed": 2,
        "attempts": 27,
        "success_rate": 0.9,
        "seconds_p50": 0.12,
        "seconds_p95": 0.8,
    },
    "created_at": _MADE,
    "updated_at": _MADE,
    "created_by": "token:shop",
}
_REPLAYED = {"deliveries": 12, "more": False, "next": None}
_DELIVERY = {
    "id": "0199a1c5-61b2-7c44-9d0e-8f2a4b6c7e51",
    "event_id": "0199a1c5-61af-7e10-8b3d-2c4e6f8a9b12",
    "event": "job.completed",
    "endpoint_id": _ID,
    "url": _URL,
    "job_id": "0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11",
    "status": "delivered",
    "attempts": 1,
    "next_attempt_at": None,
    "delivered_at": _SENT,
    "last_status_code": 204,
    "last_error": None,
    "created_at": "2026-01-31T12:05:01.102233Z",
}

EXAMPLES: dict[type[BaseModel], Any] = {
    EndpointDocument: _ENDPOINT,
    NewEndpointDocument: {**_ENDPOINT, "secret": _SECRET},
    EnabledEndpointDocument: {**_ENDPOINT, "replayed": _REPLAYED},
    NewSecretDocument: {"secret": _SECRET, "expires_at": "2026-02-01T12:00:00.124551Z"},
    ReplayedDocument: _REPLAYED,
    Rotation: {"keep_seconds": 3600},
    Enabling: {"replay_since": "2026-01-31T00:00:00Z"},
    DeliveryDocument: _DELIVERY,
    WholeDeliveryDocument: {
        **_DELIVERY,
        "log": [
            {
                "number": 1,
                "url": _URL,
                "started_at": "2026-01-31T12:05:01.190044Z",
                "duration_seconds": 0.119978,
                "status_code": 204,
                "error": None,
                "message": None,
                "answer_start": "",
            }
        ],
        "body": '{"event":"job.completed","timestamp":"2026-01-31T12:05:01.100000Z",'
        '"data":{"job_id":"0199a1c0-7d2e-7c41-9b1f-2f6d1c0a9e11","status":"completed"}}',
    },
}
