"""What a success of the calls outside of `jobs` looks like."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from accounts.api.me import Me
from config.api.health import HealthDocument
from config.api.schema import access_examples

_OK = {"status": "ok", "latency_ms": 0.812}

EXAMPLES: dict[type[BaseModel], Any] = {
    **access_examples.EXAMPLES,
    Me: {
        "kind": "token",
        "name": "shop",
        "actor": "token:shop",
        "tenant": "acme",
        "scopes": ["jobs:read", "jobs:write"],
        "owner": None,
        "tenants": [],
        "token_id": "0199a1bf-2b01-7a70-bd02-0c5b1f3f8a10",
        "expires_at": None,
        "plan": "basic",
    },
    HealthDocument: {
        "status": "healthy",
        "database": _OK,
        "redis": _OK,
        "broker": _OK,
        "dispatcher": {"status": "ok", "silent_seconds": 0.4},
        "scheduler": {"status": "ok", "silent_seconds": 2.1},
        "workers": [{"name": "worker-1@host", "state": "idle", "current_jobs": []}],
        "queues": [
            {
                "name": "default",
                "count": 3,
                "count_exact": True,
                "workers": 1,
                "unknown_types": [],
            }
        ],
        "alerts": [
            {
                "kind": "schedule_missed",
                "detail": "2 runs of “nightly report” not in time: 1 left out, 1 late.",
                "object": "schedule:0199a1c2-7b6e-7c40-9d12-5a0f3e6c8b21",
                "since": "2026-01-31T02:00:00.000000Z",
            }
        ],
    },
}
