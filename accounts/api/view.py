"""The base of every call: who, allowed to, for whom, with which parameters; in that order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView
from structlog.contextvars import bind_contextvars

from accounts.access import Access
from accounts.address import address_of
from accounts.api.acting import access_of, require_decided
from accounts.api.refusals import FieldRefusal, Unprocessable
from accounts.pointer import pointer
from accounts.principal import Principal
from accounts.scopes import Scope

__all__ = ["SAFE", "ApiView", "address_of"]

SAFE = frozenset({"GET", "HEAD"})


class ApiView(APIView):
    """Subclasses say which scope each method needs (None: any token) and which query parameters
    it knows; `self.access` is then what the request may reach. `for_undecided`: a member of several
    tenants need not name one.

    A limiter of requests belongs into `throttle_classes`, which run after the permissions.
    """

    scopes: ClassVar[Mapping[str, Scope | None]] = {}
    parameters: ClassVar[Mapping[str, frozenset[str]]] = {}
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
        _refuse_unknown(request, self.parameters.get(method, frozenset()))


def _require(principal: Principal, needed: Scope | None) -> None:
    if needed is not None and needed not in principal.scopes:
        raise PermissionDenied(f"This needs the scope {needed}.")


def _refuse_unknown(request: Request, known: frozenset[str]) -> None:
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise Unprocessable(
            FieldRefusal(pointer(name), "unknown query parameter") for name in unknown
        )
