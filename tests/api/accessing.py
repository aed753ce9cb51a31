"""The calls about tokens, tenants and the audit trail, as the table in `test_apart` writes them."""

from __future__ import annotations

from typing import Any

from accounts.scopes import Scope

NEW_TOKEN: dict[str, Any] = {"name": "ci", "scopes": ["jobs:read"]}
NEW_TENANT: dict[str, Any] = {"slug": "newcomer", "name": "Newcomer", "plan": "free"}
TOKEN_CALLS = [
    ("GET", "/tokens", Scope.ADMIN, None, None),
    ("POST", "/tokens", Scope.ADMIN, NEW_TOKEN, None),
    ("DELETE", "/tokens/{id}", Scope.ADMIN, None, None),
    ("GET", "/audit", Scope.AUDIT_READ, None, None),
]
TENANT_CALLS = [
    ("GET", "/tenants", Scope.ADMIN, None, None),
    ("POST", "/tenants", Scope.ADMIN, NEW_TENANT, None),
    ("GET", "/tenants/{id}", Scope.ADMIN, None, None),
    ("PATCH", "/tenants/{id}", Scope.ADMIN, {"plan": "premium"}, None),
]
ACCESS_CALLS = [*TOKEN_CALLS, *TENANT_CALLS]
