"""Whether a URL may be called, and at which addresses: every one that its name has, or none.

`check_url` says it early, for the one who gives the URL. It decides nothing: a name may lead
elsewhere a moment later, so `addresses_for` looks again for each call, which then connects to an
address that was looked at and to no other.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from time import monotonic

from jobs.egress.addresses import is_public
from jobs.egress.allowed import allowed
from jobs.egress.bounds import Bounds
from jobs.egress.names import NameNotFound, NameTimedOut, addresses_of
from jobs.egress.ports import may_be_called
from jobs.egress.url import RefusedURL, Target, parse

_CHECK_SECONDS = 2.0
_KEPT_SECONDS = 30.0
_MOST_KEPT = 1_024

_INSIDE = "The URL leads to an address that is not public."
_PORT = "The URL's port is not one that calls may go to."


def check_url(url: str) -> None:
    """Raise `RefusedURL` for what could never be called, within two seconds.

    A name that is not known now is taken: it may be known when it is called. What was found of a
    host holds for half a minute.
    """
    target = parse(url)
    if target.host_and_port in allowed():
        return
    _check_port(target)
    if _verdicts.of(target) is False:
        raise RefusedURL(_INSIDE)


def addresses_for(
    target: Target, bounds: Bounds, *, of_operator: bool = False, party: str = ""
) -> tuple[str, ...]:
    """Where a call may connect, never nothing; raises `RefusedURL` if any address of the name is
    not public, and `NameNotFound` and `NameTimedOut`."""
    trusted = of_operator or target.host_and_port in allowed()
    if not trusted:
        _check_port(target)
    found = (target.host,) if target.is_address else addresses_of(target.host, bounds, party)
    if not trusted and not all(map(is_public, found)):
        raise RefusedURL(_INSIDE)
    return found


def _check_port(target: Target) -> None:
    if not may_be_called(target.port):
        raise RefusedURL(_PORT)


class _Verdicts:
    """What was found of a host lately: True, False, or None where its name was not known."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, bool | None]] = OrderedDict()

    def of(self, target: Target) -> bool | None:
        if target.is_address:
            return is_public(target.host)
        with self._lock:
            until, verdict = self._kept.get(target.host, (0.0, None))
        if until <= monotonic():
            verdict = _look(target.host)
            self._keep(target.host, verdict)
        return verdict

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()

    def _keep(self, host: str, verdict: bool | None) -> None:
        with self._lock:
            self._kept[host] = (monotonic() + _KEPT_SECONDS, verdict)
            self._kept.move_to_end(host)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)


_verdicts = _Verdicts()


def _look(host: str) -> bool | None:
    try:
        return all(map(is_public, addresses_of(host, Bounds(_CHECK_SECONDS), _zone(host))))
    except (NameNotFound, NameTimedOut):
        return None


def _zone(host: str) -> str:
    """Whose name servers are asked, roughly: nobody says here who the caller is."""
    return ".".join(host.split(".")[-2:])


def forget_verdicts() -> None:
    """Look anew at the next check of any host."""
    _verdicts.forget()
