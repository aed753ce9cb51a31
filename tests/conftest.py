"""What every test may rely on: a migrated database whose tables can be emptied between tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from pytest_django import DjangoDbBlocker

from tests.support.emptying import empty

pytest_plugins = ["jobs.testing.fixtures"]

# A loaded machine is slow at times; that is no finding.
hypothesis.settings.register_profile(
    "patient",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """At the end nobody may come back to it: a thread that a test left behind would keep it from
    being dropped."""
    yield
    with django_db_blocker.unblock():
        _close_to_all(connection.settings_dict["NAME"])


def _close_to_all(database: str) -> None:
    connection.close()
    with connection._nodb_cursor() as cursor:  # the database itself cannot be the one to say it
        cursor.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )


@pytest.fixture(scope="session", autouse=True)
def _tables_are_emptied_in_our_way() -> Iterator[None]:
    with patch.object(TransactionTestCase, "_fixture_teardown", lambda case: empty()):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_have_a_place() -> None:
    """`manage.py up` collects them; the web process warns where nobody has."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
