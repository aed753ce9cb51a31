"""`manage.py tokens create|revoke`: API tokens from the terminal."""

from __future__ import annotations

import getpass
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import tokens
from accounts.exceptions import TokenNameTaken
from accounts.models import DEFAULT_TENANT, ApiToken, Tenant
from accounts.scopes import Scope


class Command(BaseCommand):
    help = "Make an API token (it is printed once) or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a token and print it once")
        create.add_argument("name")
        whose = create.add_mutually_exclusive_group()
        whose.add_argument("--tenant", default=DEFAULT_TENANT, metavar="SLUG")
        whose.add_argument("--platform", action="store_true", help="a platform admin's token")
        create.add_argument(
            "--scope", action="append", dest="scopes", choices=[str(scope) for scope in Scope],
            metavar="SCOPE", help=f"repeatable; default jobs:read, jobs:write. {', '.join(Scope)}",
        )  # fmt: skip
        create.add_argument("--owner", default="", help="sees and makes only this owner's jobs")
        create.add_argument("--days", type=_days, help="valid for so many days; default for ever")
        revoke = verbs.add_parser("revoke", help="end a token")
        revoke.add_argument("id", type=UUID, help="the 32 digits after cel_")

    def handle(self, *, verb: str, **options: Any) -> None:
        {"create": self._create, "revoke": self._revoke}[verb](options)

    def _create(self, options: dict[str, Any]) -> None:
        platform = options["platform"]
        default = [Scope.ADMIN] if platform else [Scope.JOBS_READ, Scope.JOBS_WRITE]
        if platform and (options["owner"] or set(options["scopes"] or default) != {Scope.ADMIN}):
            raise CommandError("A platform token has the scope admin and no owner.")
        try:
            issued = tokens.issue(
                name=options["name"],
                tenant=None if platform else _tenant(options["tenant"]),
                scopes=options["scopes"] or default,
                owner=options["owner"],
                expires_at=options["days"] and timezone.now() + options["days"],
                issued_by=_by(),
            )
        except TokenNameTaken as error:
            raise CommandError(str(error)) from error
        self.stdout.write(issued.text)
        self.stderr.write("Keep it: only a hash is stored, and it is not shown again.")

    def _revoke(self, options: dict[str, Any]) -> None:
        token = ApiToken.objects.select_related("tenant").filter(pk=options["id"]).first()
        if token is None:
            raise CommandError("No such token.")
        tokens.revoke(token, by=_by())
        self.stderr.write(f"{token.name} is revoked.")


def _by() -> str:
    return f"command:{getpass.getuser()}"


def _tenant(slug: str) -> Tenant:
    try:
        return Tenant.objects.get(slug=slug)
    except Tenant.DoesNotExist:
        raise CommandError(f"No tenant {slug!r}.") from None


def _days(text: str) -> timedelta:
    days = int(text)
    if not 1 <= days <= 36_500:
        raise ArgumentTypeError("1 to 36500")
    return timedelta(days=days)
