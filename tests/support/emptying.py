"""Empties the tables after a test that commits, as Django's flush does and in a fraction of its
time: to truncate a table that is empty costs as much as to truncate any other."""

from __future__ import annotations

from django.db import connection
from psycopg import sql

from accounts.apps import make_default_tenant
from jobs.apps import make_queues

_KEPT = {"django_migrations", "django_content_type", "auth_permission"}  # no test changes these
MANY = 1_000_000  # bytes: so many dead rows would slow down what comes after


def empty() -> None:
    """All tables as they are after `migrate`, but for sequences, which go on. What another session
    has not committed yet is waited for. Neither references nor the audit trail's guards are asked.
    """
    tables = sorted(set(connection.introspection.table_names()) - _KEPT)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname FROM pg_class
                WHERE relname = ANY(%s) AND relkind = 'r' AND pg_relation_size(oid) > %s""",
            [tables, MANY],
        )
        large = [name for (name,) in cursor.fetchall()]
        cursor.execute(_deletions(tables, large))
    make_default_tenant(connection.alias)
    make_queues()


def _deletions(tables: list[str], large: list[str]) -> sql.Composable:
    """One transaction, as several statements in one string are."""

    def listed(names: list[str]) -> sql.Composable:
        return sql.SQL(", ").join(map(sql.Identifier, names))

    parts = [
        sql.SQL("SET LOCAL session_replication_role = replica"),
        sql.SQL("LOCK TABLE ") + listed(tables),
        *(sql.SQL("DELETE FROM ") + sql.Identifier(name) for name in tables if name not in large),
    ]
    if large:
        parts.append(sql.SQL("TRUNCATE ") + listed(large) + sql.SQL(" CASCADE"))
    return sql.SQL("; ").join(parts)
