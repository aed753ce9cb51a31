"""Sign-ins: written into the audit trail, and slowed down for whoever guesses.

What was refused is counted where it is written down, so every process knows it and no other store
is needed. Two limits by the caller's address (of IPv6 the /64): so many tries for one name, and so
many entries in all, past which nobody at that address is let try. The second keeps the trail from
being filled, and the first from being slipped past by other names. Tries at the very same moment
may each pass.

A third limit slows down who guesses one name from many addresses. It would let anybody keep the
person out, so it does not hold where the person signed in within the last month. The price: who
comes from a new address meanwhile must wait until the guessing ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts import audit
from accounts.address import address_of, network_of
from accounts.ids import first_id_of
from accounts.models import AuditEntry

WAIT = timedelta(minutes=5)
TRIES_FOR_ONE_NAME = 10
TRIES_FROM_ONE_ADDRESS = 100
LONG_WAIT = timedelta(hours=1)
TRIES_IN_AN_HOUR = 50  # for one name, from anywhere
_KNOWN_FOR = timedelta(days=30)
_IN_WORDS = {WAIT: "five minutes", LONG_WAIT: "an hour"}
REFUSED = "person.sign-in-refused"
_SIGNED_IN = "person.sign-in"
_UNKNOWN = "unknown:"


@dataclass(frozen=True, kw_only=True)
class Pause:
    """How long who guessed too often has to wait."""

    length: timedelta

    def __str__(self) -> str:
        return f"Too many failed tries. Wait {_IN_WORDS[self.length]}, then try again."

    @property
    def retry_after(self) -> str:
        return str(int(self.length.total_seconds()))


def pause(name: str, address: str | None) -> Pause | None:
    """None where this name may be tried from this address now."""
    shown = _shown(name)
    if _too_many_from(address, shown):
        return Pause(length=WAIT)
    if _too_many_for(shown) and not _signed_in_before(shown, address):
        return Pause(length=LONG_WAIT)
    return None


def from_network_of(address: str | None) -> Q:
    """Entries from where this address is."""
    if address is None:
        return Q(address=None)
    first, last = network_of(address)
    return Q(address=address) if first == last else Q(address__range=(first, last))


def _too_many_from(address: str | None, shown: str) -> bool:
    refused = _within(WAIT).filter(from_network_of(address), action=REFUSED).order_by("-id")
    names = list(refused.values_list("object_id", flat=True)[:TRIES_FROM_ONE_ADDRESS])
    return len(names) >= TRIES_FROM_ONE_ADDRESS or names.count(shown) >= TRIES_FOR_ONE_NAME


def _too_many_for(shown: str) -> bool:
    refused = _within(LONG_WAIT).filter(object_id=shown, action=REFUSED)
    return refused[:TRIES_IN_AN_HOUR].count() >= TRIES_IN_AN_HOUR


def _signed_in_before(shown: str, address: str | None) -> bool:
    before = _within(_KNOWN_FOR).filter(object_id=shown, action=_SIGNED_IN)
    return before.filter(from_network_of(address)).exists()


def _within(age: timedelta) -> QuerySet[AuditEntry]:
    return AuditEntry.objects.filter(id__gte=first_id_of(timezone.now() - age))


def note_sign_in(sender: object, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    _record(_SIGNED_IN, user.get_username(), request, by=f"user:{user.get_username()}")


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
    if request is not None and pause(name, address_of(request)) is None:
        _record(REFUSED, _shown(name), request, by="anonymous")


def note_wrong_old_password(request: HttpRequest) -> None:
    """It counts like a sign-in: the browser may be in other hands."""
    name = request.user.get_username()
    _record(REFUSED, name, request, by=f"user:{name}")


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
