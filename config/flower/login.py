"""Who may open Flower: HTTP basic authentication for everything it serves."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

# Nothing slows down whoever tries passwords one after the other.
SHORTEST_PASSWORD = 12


class LoginRefused(ValueError):
    """Not a login that Flower may be opened with; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Logins:
    """The logins that are let in, each as `user:password`."""

    accepted: Sequence[bytes]

    def admit(self, authorization: str) -> bool:
        """Whether this header names one of them; how long it takes tells nothing about it."""
        given = _credentials(authorization)
        return any(hmac.compare_digest(given, one) for one in self.accepted)


def parsed(text: str) -> Logins:
    """Logins from `user:password,user:password`. Raises LoginRefused."""
    logins = [one.strip() for one in text.split(",") if one.strip()]
    if not logins:
        raise LoginRefused(
            "Flower needs a login. Set FLOWER_BASIC_AUTH=user:password, "
            "or FLOWER_BASIC_AUTH_FILE to a file that holds it."
        )
    for login in logins:
        user, _, password = login.partition(":")
        if not user or len(password) < SHORTEST_PASSWORD or not login.isascii():
            raise LoginRefused(
                "FLOWER_BASIC_AUTH is user:password in ASCII, the password at least "
                f"{SHORTEST_PASSWORD} characters long; commas part several."
            )
    return Logins(accepted=[login.encode() for login in logins])


def _credentials(authorization: str) -> bytes:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
