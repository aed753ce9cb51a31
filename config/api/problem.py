"""An error as people and programs read it: application/problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from rest_framework.response import Response

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """`kind` tells programs more than the status does; `errors` are pairs of pointer and detail."""

    status: int
    detail: str
    kind: str = ""
    errors: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, path: str) -> dict[str, Any]:
        return {
            "type": f"urn:celeriac:problem:{self.kind}" if self.kind else "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": path,
            "errors": [{"pointer": pointer, "detail": text} for pointer, text in self.errors],
        }

    def response(self, path: str) -> Response:
        """For REST framework, which renders it."""
        return Response(
            self.body(path),
            status=self.status,
            headers=dict(self.headers),
            content_type=CONTENT_TYPE,
        )

    def plain_response(self, path: str) -> JsonResponse:
        """For places that no view of REST framework reached."""
        return JsonResponse(
            self.body(path), status=self.status, headers=self.headers, content_type=CONTENT_TYPE
        )
