"""The base of the calls about webhooks."""

from __future__ import annotations

from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from accounts.api.view import ApiView


class WebhookView(ApiView):
    """Not for a token that is bound to an owner: an endpoint is told of jobs of any owner, and has
    none itself."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.access.principal.owner:
            raise PermissionDenied("A token bound to an owner has no part in webhooks.")
