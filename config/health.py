"""Liveness and readiness, for supervisors and load balancers; they tell nothing else."""

from __future__ import annotations

import logging

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from jobs.database import is_read_only

logger = logging.getLogger(__name__)

# A process's migrations do not change while it lives: once they are applied, a look that the
# database answers is enough.
_migrated = False


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """The database takes writes and has every migration of this process's code."""
    if _is_ready():
        return JsonResponse({"status": "ready"})
    return JsonResponse({"status": "not ready"}, status=503, headers={"Retry-After": "1"})


def _is_ready() -> bool:
    global _migrated
    try:
        if is_read_only():
            logger.warning("not ready: the database takes no writes")
            return False
        _migrated = _migrated or _nothing_to_migrate()
    except Error:
        logger.warning("not ready: the database does not answer", exc_info=True)
        return False
    return _migrated


def _nothing_to_migrate() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
