"""`manage.py tokens create|list|revoke`: API tokens from the terminal."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import tokens
from accounts.api.tokens_documents import token_document
from accounts.exceptions import TokenNameTaken
from accounts.models import DEFAULT_TENANT, ApiToken, Tenant
from accounts.scopes import Scope
from accounts.terminal import database_trouble_in_words, operator
from accounts.token_lines import line

_MOST_DAYS = 36_500
_LONGEST_NAME = 100
_MOST = 200


class Command(BaseCommand):
    help = "Make an API token (it is printed once), list them, or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        create = verbs.add_parser("create", help="make a token and print it once")
        create.add_argument("name", type=_name, help="how the audit trail calls it")
        whose = create.add_mutually_exclusive_group()
        whose.add_argument("--tenant", default=DEFAULT_TENANT, metavar="SLUG")
        whose.add_argument("--platform", action="store_true", help="a platform admin's token")
        create.add_argument(
            "--scope", action="append", dest="scopes", choices=[str(scope) for scope in Scope],
            metavar="SCOPE", help=f"repeatable; default jobs:read, jobs:write. {', '.join(Scope)}",
        )  # fmt: skip
        create.add_argument("--owner", default="", help="sees and makes only this owner's jobs")
        create.add_argument("--days", type=_days, help="valid for so many days; default for ever")
        listed = verbs.add_parser("list", help=f"newest first, at most {_MOST}; never a secret")
        of = listed.add_mutually_exclusive_group()
        of.add_argument("--tenant", metavar="SLUG", help="of this tenant; default of everybody")
        of.add_argument("--platform", action="store_true", help="platform admins' tokens")
        listed.add_argument("--revoked", action="store_true", help="the revoked ones instead")
        listed.add_argument("--json", action="store_true", help="one JSON document")
        revoke = verbs.add_parser("revoke", help="end a token")
        revoke.add_argument("id", type=_token_id, help="the token, or its 32 digits after cel_")

    def handle(self, *, verb: str, **options: Any) -> None:
        with database_trouble_in_words():
            {"create": self._create, "list": self._list, "revoke": self._revoke}[verb](options)

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
                issued_by=operator().actor,
            )
        except TokenNameTaken as error:
            raise CommandError(str(error)) from error
        self.stdout.write(issued.text)
        self.stderr.write("Keep it: only a hash is stored, and it is not shown again.", str)

    def _list(self, options: dict[str, Any]) -> None:
        rows = ApiToken.objects.select_related("tenant").order_by("-pk")
        rows = rows.filter(revoked_at__isnull=not options["revoked"])
        if options["platform"]:
            rows = rows.filter(tenant=None)
        elif options["tenant"]:
            rows = rows.filter(tenant=_tenant(options["tenant"]))
        found = list(rows[:_MOST])
        if options["json"]:
            items = [token_document(token, named=True) for token in found]
            self.stdout.write(json.dumps({"items": items}, indent=2))
            return
        for token in found:
            self.stdout.write(line(token))
        if not found:
            self.stderr.write("There is none.", str)

    def _revoke(self, options: dict[str, Any]) -> None:
        token = ApiToken.objects.select_related("tenant").filter(pk=options["id"]).first()
        if token is None:
            raise CommandError("No such token.")
        tokens.revoke(token, by=operator().actor)
        self.stderr.write(f"{token.name} is revoked.", str)


def _tenant(slug: str) -> Tenant:
    try:
        return Tenant.objects.get(slug=slug)
    except Tenant.DoesNotExist:
        known = ", ".join(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise CommandError(f"No tenant is called {slug!r}. There are: {known}.") from None


def _days(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_DAYS):
        raise ArgumentTypeError(f"a whole number, 1 to {_MOST_DAYS}")
    return timedelta(days=int(text))


def _name(text: str) -> str:
    if not 1 <= len(text.strip()) <= _LONGEST_NAME:
        raise ArgumentTypeError(f"a name of 1 to {_LONGEST_NAME} characters")
    return text.strip()


def _token_id(text: str) -> UUID:
    """From the id alone, or from the whole token, of which nothing else is looked at."""
    try:
        return UUID(text.removeprefix("cel_").partition("_")[0])
    except ValueError:
        raise ArgumentTypeError("a token, or the 32 digits after its cel_") from None
