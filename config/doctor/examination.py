"""All checks, in the order in which a person would look."""

from collections.abc import Iterator, Sequence

from django.db import DatabaseError

from config.doctor import database, installation, messaging, processes
from config.doctor.finding import Check, Finding, Level, fail

CHECKS: Sequence[Check] = (
    installation.python,
    installation.packages,
    installation.debug,
    installation.secret_key,
    installation.allowed_hosts,
    messaging.redis_server,
    messaging.broker,
)
# These read from the database, so they are only run where it answers.
DATABASE_CHECKS: Sequence[Check] = (
    database.durable,
    database.clock,
    database.migrated,
    processes.dispatcher,
    processes.workers,
    processes.beat,
)


def examine() -> Iterator[Finding]:
    """Run the checks one by one. One that cannot reach its tables is a finding, not an error."""
    for check in CHECKS:
        yield check()
    reachable = _guarded(database.reachable)
    yield reachable
    if reachable.level is not Level.FAIL:
        yield from map(_guarded, DATABASE_CHECKS)


def _guarded(check: Check) -> Finding:
    try:
        return check()
    except DatabaseError as error:
        sentence = str(error).strip().partition("\n")[0]
        return fail(
            "Database" if check is database.reachable else check.__name__.capitalize(),
            sentence,
            "Start it (`manage.py up` brings its own), or correct DATABASE_URL; "
            "if only its tables are missing: python manage.py migrate",
        )
