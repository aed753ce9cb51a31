"""Bounds on what the engine's own processes may wait for in the database."""

from django.db import connection, connections


def guard_connections(
    *, statement_seconds: float, lock_seconds: float, idle_seconds: float = 60
) -> None:
    """No statement of this process runs, no lock is waited for, and no transaction stands idle,
    longer than this. (A process that is frozen inside a transaction keeps its locks until then.)

    For processes that run no job code (web, dispatcher): it applies to every connection opened
    from now on. Sent as start-up options, because a SET would outlive its transaction under
    PgBouncer (which needs `ignore_startup_parameters = options`, and the bounds on its role).
    Options that the database's URL carries stay; of one named twice the server takes the last.
    """
    limits = {
        "statement_timeout": statement_seconds,
        "lock_timeout": lock_seconds,
        "idle_in_transaction_session_timeout": idle_seconds,
    }
    options = connections.settings["default"].setdefault("OPTIONS", {})
    bounds = [f"-c {name}={int(seconds * 1000)}" for name, seconds in limits.items()]
    options["options"] = " ".join([options.get("options", ""), *bounds]).strip()


def is_read_only() -> bool:
    """Whether the server takes no writes: a standby, or one that was told so. Raises the
    database's own errors while it does not answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('transaction_read_only')")
        row = cursor.fetchone()
    return row is not None and row[0] == "on"
