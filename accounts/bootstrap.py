"""The first way in: an administrator and a platform token for a new installation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import connection, transaction

from accounts import tokens
from accounts.scopes import Scope

ADMIN_USERNAME = "admin"
_LOCK = 0x43454C  # any number that nothing else locks


@dataclass(frozen=True, kw_only=True)
class FirstStart:
    """Credentials to be shown once; of both secrets only hashes are kept."""

    admin_username: str
    admin_password: str
    admin_token: str


def first_start() -> FirstStart | None:
    """The credentials it has just made, or None where a superuser already exists.

    Of two processes that ask at once, one makes them and the other gets None.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        users = get_user_model()._default_manager
        if users.filter(is_superuser=True).exists():
            return None
        password = secrets.token_urlsafe(15)
        users.create_superuser(ADMIN_USERNAME, email="", password=password)
        issued = tokens.issue(
            name=f"{ADMIN_USERNAME} {secrets.token_hex(3)}", tenant=None, scopes=[Scope.ADMIN]
        )
    return FirstStart(
        admin_username=ADMIN_USERNAME, admin_password=password, admin_token=issued.text
    )
