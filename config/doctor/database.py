"""Is PostgreSQL there, new enough, durable, migrated and in step with our clock?"""

from datetime import UTC, datetime

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.doctor.clock import compared
from config.doctor.finding import Finding, fail, ok
from jobs.database import is_read_only

_OLDEST = 14
_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


def reachable() -> Finding:
    """The database takes our connection, and its version is one that Celeriac supports."""
    if connection.vendor != "postgresql":
        return fail(
            "Database",
            f"DATABASE_URL names {connection.vendor}",
            why="Leases, limits and the order of jobs are PostgreSQL's doing.",
            way_out="Set DATABASE_URL=postgres://USER:PASSWORD@HOST:5432/NAME",
        )
    major, minor = divmod(int(_setting("server_version_num")), 10_000)
    if major < _OLDEST:
        return fail(
            "Database",
            f"PostgreSQL {major}.{minor}",
            why="Celeriac's statements need newer ones.",
            way_out=f"Upgrade to PostgreSQL {_OLDEST} or newer.",
        )
    if is_read_only():
        return fail(
            "Database",
            f"PostgreSQL {major}.{minor}, read only",
            why="It takes no writes: a standby, or default_transaction_read_only is on.",
            way_out="Point DATABASE_URL at the primary, or promote this server.",
        )
    return ok("Database", f"PostgreSQL {major}.{minor}")


def durable() -> Finding:
    """A commit is on disk when the database says so: every promise of Celeriac rests on that."""
    off = [name for name in _DURABILITY if _setting(name) == "off"]
    if off:
        sql = " ".join(f"ALTER SYSTEM SET {name} = on;" for name in off)
        return fail(
            "Durability",
            f"off: {', '.join(off)}",
            why="A crash or a power cut loses jobs that were accepted, or the whole database.",
            way_out=f"{sql} SELECT pg_reload_conf(); (see also ALTER ROLE and the command line)",
        )
    return ok("Durability", f"{', '.join(_DURABILITY)} on")


def migrated() -> Finding:
    """The tables are those that this version of the code expects."""
    executor = MigrationExecutor(connection)
    loader = executor.loader
    plan = executor.migration_plan(loader.graph.leaf_nodes())
    if plan:
        return fail(
            "Migrations",
            f"{len(plan)} not applied, the first is {plan[0][0]}",
            why="This code reads and writes tables that are not there yet.",
            way_out="python manage.py migrate",
        )
    unknown = sorted(
        f"{app}.{name}"
        for app, name in loader.applied_migrations
        if app in loader.migrated_apps and (app, name) not in loader.disk_migrations
    )
    if unknown:
        return fail(
            "Migrations",
            f"{len(unknown)} applied that this code does not know, such as {unknown[-1]}",
            why="The database belongs to a newer version, whose rules this one does not know.",
            way_out="Deploy the newer version here too, or migrate back with that one first.",
        )
    return ok("Migrations", "all applied")


def clock() -> Finding:
    """This machine's clock and the database's agree, so that times people read make sense."""
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (theirs,) = cursor.fetchone()
    return compared("the database's", theirs, before, datetime.now(UTC))


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (value,) = cursor.fetchone()
    return str(value)
