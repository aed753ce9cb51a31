"""What statements cost the database, in buffers: a measure that no busy machine can falsify."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection, transaction

T = TypeVar("T")
_EXPLAINED = ("SELECT", "UPDATE", "INSERT", "WITH")


def undone(step: Callable[[], T]) -> tuple[T, int]:
    """What the step returns, and how many buffers its statements touch; it leaves nothing behind
    in the database."""
    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        statements.append((sql, parameters))
        return execute(sql, parameters, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(note):
            returned = step()
        transaction.set_rollback(True)
    return returned, sum(_buffers(sql, parameters) for sql, parameters in statements)


def _buffers(sql: str, parameters: Any) -> int:
    if sql.split(maxsplit=1)[0].upper() not in _EXPLAINED:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", parameters)
        row = cursor.fetchone()
        transaction.set_rollback(True)
    assert row is not None
    told = json.loads(row[0]) if isinstance(row[0], str) else row[0]
    plan = told[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])
