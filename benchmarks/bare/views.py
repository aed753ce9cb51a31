"""One INSERT and one SELECT through the ORM: no caller is asked for, no field is checked."""

from __future__ import annotations

from typing import Any

from rest_framework.parsers import JSONParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from benchmarks.bare.models import Row


class Bare(APIView):
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (JSONParser,)


class RowsView(Bare):
    def post(self, request: Request) -> Response:
        return Response(_document(Row.objects.create(body=request.data)), status=201)


class RowView(Bare):
    def get(self, request: Request, row_id: str) -> Response:
        return Response(_document(Row.objects.get(pk=row_id)))


def _document(row: Row) -> dict[str, Any]:
    return {"id": str(row.pk), "body": row.body, "created_at": row.created_at.isoformat()}
