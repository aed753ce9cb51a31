"""A form that shows a secret has no other page to lead to; so it is not taken a second time, when
its page is loaded again."""

from __future__ import annotations

from uuid import uuid4

from django.http import HttpRequest

FIELD = "once"
_USED = "webhooks_once"
_KEPT = 20
_LONGEST = 32


def new() -> str:
    return uuid4().hex


def is_used(request: HttpRequest) -> bool:
    return _given(request) in request.session.get(_USED, ())


def use(request: HttpRequest) -> None:
    request.session[_USED] = [*request.session.get(_USED, ()), _given(request)][-_KEPT:]


def _given(request: HttpRequest) -> str:
    return str(request.POST.get(FIELD, ""))[:_LONGEST]
