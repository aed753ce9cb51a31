"""Is PostgreSQL there, new enough, durable, migrated and in step with our clock?"""

from datetime import UTC, datetime

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.doctor.finding import Finding, fail, ok, warn

_OLDEST = 14
_CLOCK_SECONDS = 2.0


def reachable() -> Finding:
    """The database takes our connection, and its version is one that Celeriac supports."""
    major, minor = divmod(_server_version(), 10_000)
    if major < _OLDEST:
        return fail(
            "Database", f"PostgreSQL {major}.{minor}", f"Upgrade to PostgreSQL {_OLDEST} or newer."
        )
    return ok("Database", f"PostgreSQL {major}.{minor}")


def durable() -> Finding:
    """A commit is on disk when the database says so: every promise of Celeriac rests on that."""
    off = [name for name in ("fsync", "full_page_writes") if _setting(name) != "on"]
    if off:
        return fail(
            "Durability",
            f"{' and '.join(off)} off: a power cut loses or destroys accepted jobs",
            f"Set {' and '.join(f'{name} = on' for name in off)} in postgresql.conf and reload.",
        )
    return ok("Durability", "fsync and full_page_writes on")


def migrated() -> Finding:
    """The tables are those that this version of the code expects."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        waiting = f"{len(plan)} not applied, the first is {plan[0][0]}"
        return fail("Migrations", waiting, "python manage.py migrate")
    return ok("Migrations", "all applied")


def clock() -> Finding:
    """This machine's clock and the database's agree, so that times people read make sense.

    Leases do not depend on it: those go by the database's clock alone.
    """
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
    ours = before + (datetime.now(UTC) - before) / 2
    difference = abs((theirs - ours).total_seconds())
    if difference > _CLOCK_SECONDS:
        return warn(
            "Clock",
            f"{difference:.1f} s away from the database's",
            "Let both machines follow the same time server.",
        )
    return ok("Clock", f"{difference * 1000:.0f} ms away from the database's")


def _server_version() -> int:
    return int(_setting("server_version_num"))


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (value,) = cursor.fetchone()
    return str(value)
