"""Who sits at the terminal, and what a command tells them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.management.base import CommandError
from django.db import Error, InterfaceError, OperationalError, ProgrammingError

from accounts.principal import Kind, Principal


@dataclass(frozen=True, kw_only=True)
class Operator(Principal):
    """A platform admin: whoever may run commands on this machine may do everything."""

    @property
    def actor(self) -> str:
        return f"command:{self.name}"


def operator() -> Operator:
    return Operator(kind=Kind.PLATFORM, name=_user_name())


def _user_name() -> str:
    """In a container a process may run under a number that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


@contextmanager
def database_trouble_in_words() -> Iterator[None]:
    """One sentence and exit status 2 in place of a traceback."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise CommandError(
            f"The database does not answer: {_first_line(error)}. "
            "Start everything by `manage.py up`; `manage.py doctor` says more.",
            returncode=2,
        ) from error
    except ProgrammingError as error:
        raise CommandError(
            f"The database is not up to date: {_first_line(error)}. Run `manage.py prepare`.",
            returncode=2,
        ) from error


def _first_line(error: Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
