"""Endpoints and deliveries as the person at the terminal sees them: as the API's documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from accounts.access import Access
from jobs.terminal.refusal import Refused
from webhooks.api.deliveries_documents import delivery_document
from webhooks.api.documents import endpoint_document
from webhooks.api.reach import deliveries_of, endpoints_of
from webhooks.models import Delivery, Endpoint

_SHORTEST = 8
_BEGINNING = re.compile(rf"[0-9a-f]{{{_SHORTEST},32}}")


def found_endpoint(text: str, access: Access) -> Endpoint:
    """The one of this id, of the only id that begins so, or the only one of this URL. Raises
    Refused."""
    rows = endpoints_of(access)
    span = _span(text)
    known = list((rows.filter(pk__range=span) if span else rows.filter(url=text))[:2])
    if not known:
        raise Refused(f"There is no endpoint {text!r}; `webhooks list` names them.")
    if len(known) > 1:
        raise Refused(f"More than one endpoint is {text!r}; say which by more of its id.")
    return known[0]


def found_delivery(text: str, access: Access) -> Delivery:
    """The one of this id, or of the only id that begins so. Raises Refused."""
    span = _span(text)
    if span is None:
        raise Refused(f"{text!r} is no id; its first {_SHORTEST} digits at least are needed.")
    known = list(deliveries_of(access).filter(pk__range=span).order_by("pk")[:2])
    if not known:
        raise Refused(f"There is no delivery {text}.")
    if len(known) > 1:
        raise Refused(f"More than one delivery's id begins with {text}; give more of it.")
    return known[0]


def current_endpoint(endpoint: Endpoint, access: Access) -> dict[str, Any]:
    """The document of it as it is now."""
    return endpoint_document(_now(endpoints_of(access), endpoint), access)


def current_delivery(delivery: Delivery, access: Access) -> dict[str, Any]:
    return delivery_document(_now(deliveries_of(access), delivery), access)


@contextmanager
def removal_in_words() -> Iterator[None]:
    """Turns what somebody removed meanwhile into `Refused`."""
    try:
        yield
    except (Endpoint.DoesNotExist, Delivery.DoesNotExist) as error:
        raise Refused("It was removed meanwhile.") from error


def _now(rows: QuerySet[Any], row: Model) -> Any:
    return rows.get(pk=row.pk)


def _span(text: str) -> tuple[UUID, UUID] | None:
    """The ids that begin so; None for what is none."""
    digits = text.strip().lower().replace("-", "")
    if not _BEGINNING.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
