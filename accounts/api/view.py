"""The base of every call: who, allowed to, for whom, with which parameters; in that order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.conf import settings
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from structlog.contextvars import bind_contextvars

from accounts.access import Access
from accounts.address import address_of
from accounts.api.acting import access_of, require_decided
from accounts.api.idempotency import is_kept
from accounts.api.metering import Meter, Part, attach, meter_of
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.models import DEFAULT_TENANT
from accounts.pointer import pointer
from accounts.principal import Principal
from accounts.rate_limits.rates import CallKind
from accounts.rate_limits.windows import windows_of
from accounts.scopes import Scope

__all__ = ["SAFE", "ApiView", "address_of"]

SAFE = frozenset({"GET", "HEAD"})
_WILLING = 204  # the answer to a question: the body may come


class ApiView(APIView):
    """Subclasses say which scope each method needs (None: any token) and which query parameters
    it knows; `self.access` is then what the request may reach. `for_undecided`: a member of several
    tenants need not name one.

    `kinds` says against which rate limit a method counts, where it is not the one for all calls.
    `keyed`: its POST is made `once` for an Idempotency-Key, and counts there.
    """

    scopes: ClassVar[Mapping[str, Scope | None]] = {}
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {}
    kinds: ClassVar[Mapping[str, CallKind]] = {}
    keyed: ClassVar[bool] = False
    for_undecided: ClassVar[bool] = False
    http_method_names = ("get", "head", "post", "put", "patch", "delete")  # OPTIONS is 405
    access: Access

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = "GET" if request.method in SAFE else str(request.method)
        principal = cast(Principal, request.user)
        if not self.for_undecided:
            require_decided(principal, request.headers)
        _require(principal, self.scopes.get(method))
        self.access = access_of(principal, request.headers, reading=method == "GET")
        if self.access.tenant is not None:
            bind_contextvars(tenant=self.access.tenant.slug)  # for the log, while this is worked on
        if method in self.scopes:  # any other is 405
            _refuse_unknown(request, self.parameters.get(method, frozenset()))

    def check_throttles(self, request: Request) -> None:
        """Before anything else is looked at, but for who asks: a refusal costs nothing."""
        if settings.RATE_LIMIT_ENABLED:
            principal = cast(Principal, request.user)
            kind = self.kinds.get(str(request.method), CallKind.OTHER)
            meter = Meter(windows_of(principal, kind), others=windows_of(principal, CallKind.OTHER))
            attach(meter, request)
            self._open(meter, request)

    def _open(self, meter: Meter, request: Request) -> None:
        part = self.part(request)
        if part is Part.COUNTED or (part is Part.COSTLY_QUESTION and self._is_replay(request)):
            meter.tell()
        elif part is Part.QUESTION or (part is Part.WHOLE and self._has_key(request)):
            meter.put_off(is_free=lambda: self._is_replay(request))
        else:
            meter.count()

    def _has_key(self, request: Request) -> bool:
        return self.keyed and request.method == "POST" and "Idempotency-Key" in request.headers

    def _is_replay(self, request: Request) -> bool:
        return self._has_key(request) and is_kept(request, _slug(request))

    def part(self, request: Request) -> Part:
        """What of the request this is; for views of which the web process asks first."""
        return Part.WHOLE

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if meter := meter_of(request):
            if self.part(request) is Part.QUESTION and final.status_code == _WILLING:
                meter.forgo()
            meter.close()
            for name, value in meter.headers.items():
                final[name] = value
        return final


def _slug(request: Request) -> str:
    """Of the tenant that the request means to act for; whether it may is decided later."""
    own = cast(Principal, request.user).tenant
    return own.slug if own else request.headers.get("X-Tenant", DEFAULT_TENANT)


def _require(principal: Principal, needed: Scope | None) -> None:
    if needed is not None and needed not in principal.scopes:
        raise PermissionDenied(f"This needs the scope {needed}.")


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise Unprocessable(
            FieldRefusal(pointer(name), "unknown query parameter") for name in unknown
        )
