"""The calls about workflows, as the table in `test_apart` writes them."""

from __future__ import annotations

from typing import Any

from accounts.scopes import Scope
from tests.api import kinds

STEP: dict[str, Any] = {"type": kinds.report.name, "payload": {"report_id": 1}}
NEW_WORKFLOW: dict[str, Any] = {"steps": {"fetch": STEP, "parse": {**STEP, "after": ["fetch"]}}}
WORKFLOW_CALLS = [
    ("GET", "/workflows", Scope.JOBS_READ, None, None),
    ("POST", "/workflows", Scope.JOBS_WRITE, NEW_WORKFLOW, None),
    ("GET", "/workflows/{id}", Scope.JOBS_READ, None, None),
    ("POST", "/workflows/{id}/cancel", Scope.JOBS_WRITE, None, None),
    ("POST", "/workflows/{id}/retry", Scope.JOBS_WRITE, None, None),
]
