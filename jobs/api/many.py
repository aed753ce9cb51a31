"""The base of calls that take many jobs at once, whose bodies may be large."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request

from accounts.api.metering import Part
from accounts.api.view import ApiView
from jobs.api.uploading import is_question


class Willing(APIException):
    """The caller may send the body."""

    status_code = 204
    default_detail = "Send it."


class TakesMany(ApiView):
    """Answers the web process, which asks before it reads a large body whether the caller may send
    one: by now everything but the body was looked at."""

    def part(self, request: Request) -> Part:
        return Part.QUESTION if is_question(request) else Part.WHOLE

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if is_question(request):
            raise Willing
