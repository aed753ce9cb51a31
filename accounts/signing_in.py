"""Sign-ins: written into the audit trail, and slowed down for whoever guesses.

What was refused is counted where it is written down, so every process knows it and no other store
is needed. Two limits by the caller's address: so many tries for one name, and so many entries in
all, past which nobody at that address is let try. The second keeps the trail from being filled,
and the first from being slipped past by other names. Tries at the very same moment may each pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import audit
from accounts.address import address_of
from accounts.ids import first_id_of
from accounts.models import AuditEntry

WAIT = timedelta(minutes=5)
TRIES_FOR_ONE_NAME = 10
TRIES_FROM_ONE_ADDRESS = 100
REFUSED = "person.sign-in-refused"
_UNKNOWN = "unknown:"


def must_wait(name: str, address: str | None) -> bool:
    """Whether too many tries from this address were refused in the last five minutes."""
    refused = AuditEntry.objects.filter(
        action=REFUSED, address=address, id__gte=first_id_of(timezone.now() - WAIT)
    ).order_by("-id")
    names = list(refused.values_list("object_id", flat=True)[:TRIES_FROM_ONE_ADDRESS])
    return len(names) >= TRIES_FROM_ONE_ADDRESS or names.count(_shown(name)) >= TRIES_FOR_ONE_NAME


def note_sign_in(sender: object, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    _record("person.sign-in", user.get_username(), request, by=f"user:{user.get_username()}")


def note_sign_out(
    sender: object, request: HttpRequest, user: AbstractBaseUser | None, **_: Any
) -> None:
    if user is not None:
        _record("person.sign-out", user.get_username(), request, by=f"user:{user.get_username()}")


def note_refusal(
    sender: object, credentials: Mapping[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Never the password; and no more entries than the limit, whoever asked."""
    name = str(credentials.get("username") or "")
    if request is not None and not must_wait(name, address_of(request)):
        _record(REFUSED, _shown(name), request, by="anonymous")


def _shown(name: str) -> str:
    """A known name, or a digest: some type their password where the name belongs."""
    name = name.replace("\x00", "")
    manager = get_user_model()._default_manager
    if manager.filter(**{get_user_model().USERNAME_FIELD: name}).exists():
        return name
    return _UNKNOWN + salted_hmac("accounts.signing_in", name).hexdigest()[:16]


def _record(action: str, name: str, request: HttpRequest, *, by: str) -> None:
    with transaction.atomic():
        audit.record(
            actor=by,
            action=action,
            object_type="person",
            object_id=name,
            tenant=None,
            address=address_of(request),
        )
