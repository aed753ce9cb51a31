"""Tokens, tenants and the audit trail."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from accounts.api.audit import AuditDocument
from accounts.api.tenants_documents import NewTenant, TenantChange, TenantDocument
from accounts.api.tokens_documents import IssuedTokenDocument, NewToken, TokenDocument

_MADE = "2026-01-31T12:00:00.124551Z"
_LIMITS = {
    "max_running": 20,
    "max_queued": None,
    "max_per_day": 10_000,
    "rate_limit": "100/m",
    "weight": 1,
    "retention_days": 30,
}
_TENANT = {"slug": "acme", "name": "Acme", "plan": "premium"}
_TOKEN = {
    "id": "0199a1bf-2b01-7a70-bd02-0c5b1f3f8a10",
    "name": "shop",
    "scopes": ["jobs:read", "jobs:write"],
    "owner": None,
    "platform": False,
    "created_at": _MADE,
    "created_by": "user:eve",
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}

EXAMPLES: dict[type[BaseModel], Any] = {
    NewToken: {"name": "shop", "scopes": ["jobs:read", "jobs:write"]},
    TokenDocument: _TOKEN,
    IssuedTokenDocument: {**_TOKEN, "token": "shown this once, and never again"},
    NewTenant: {**_TENANT, "max_running": 20},
    TenantChange: {"plan": "enterprise", "max_running": None},
    TenantDocument: {**_TENANT, **_LIMITS, "created_at": _MADE},
    AuditDocument: {
        "id": "0199a1c0-9b3c-7d11-a0fe-51c7e2a8b904",
        "created_at": _MADE,
        "actor": "user:eve",
        "action": "queue.pause",
        "object_type": "queue",
        "object_id": "default",
        "address": "192.0.2.7",
        "before": None,
        "after": {"reason": "maintenance"},
    },
}
