"""A tenant for the demonstration, and a token for the program that it plays."""

import subprocess
import sys

from django.conf import settings
from django.db import transaction

from accounts import audit, tokens
from accounts.models import ApiToken, Tenant
from accounts.scopes import Scope

TENANT = "demo"
TOKEN_NAME = "demonstration"  # noqa: S105 - a name, no secret
ACTOR = "command:demo"


class NoAccess(Exception):
    """The token could not be made; the message says why."""


def token_of_new_process() -> str:
    """`fresh_token`, in a process that reads the settings now; raises NoAccess.

    The demonstration's own process read them before the private servers were started, and so
    knows no database.
    """
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "demo_token"]
    made = subprocess.run(  # noqa: S603 - the command is our own
        command, capture_output=True, text=True, timeout=60, check=False
    )
    if made.returncode != 0:
        raise NoAccess(made.stderr.strip())
    return made.stdout.strip()


@transaction.atomic
def fresh_token() -> str:
    """The text of a new token of the tenant `demo`; the one of an earlier run stops working."""
    tenant = _tenant()
    for old in ApiToken.objects.filter(tenant=tenant, name=TOKEN_NAME, revoked_at=None):
        tokens.revoke(old, by=ACTOR)
    scopes = [Scope.JOBS_READ, Scope.JOBS_WRITE, Scope.QUEUES_READ]
    return tokens.issue(name=TOKEN_NAME, tenant=tenant, scopes=scopes, issued_by=ACTOR).text


def _tenant() -> Tenant:
    """The tenant, of the plan that may use every level of priority."""
    tenant, created = Tenant.objects.get_or_create(
        slug=TENANT, defaults={"name": "Demonstration", "plan_name": "enterprise"}
    )
    if created:
        audit.record(
            actor=ACTOR,
            action="tenant.create",
            object_type="tenant",
            object_id=tenant.slug,
            tenant=tenant,
            after={"name": tenant.name, "plan": tenant.plan_name},
        )
    return tenant
