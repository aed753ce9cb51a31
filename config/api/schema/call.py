"""One operation of the schema: what its view says beside its words."""

from __future__ import annotations

from typing import Any

from drf_spectacular.openapi import AutoSchema

from accounts.api.view import ApiView
from accounts.scopes import Scope
from config.api.schema.answers import CONTENT, errors_of, headers_of, headers_of_success

_KEY = "Idempotency-Key"
_TENANT = {
    "name": "X-Tenant",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The tenant a platform admin acts for, by its slug; `*` reads all of them. A "
    "signed-in member of several tenants must name one, except to `/me`, which lists them.",
}


class CallSchema(AutoSchema):
    """Adds the scope, the errors, the headers and the shapes of ids to every operation."""

    # Spectacular dropped the parameters that REST framework has here.
    def get_description(self) -> str:  # type: ignore[override]
        """Docstrings of views are for those who read the code."""
        return ""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None and isinstance(self.view, ApiView):
            self._say_scope(operation, self.view.scopes.get(self.method))
            self._say_body(operation)
            self._say_parameters(operation)
            self._say_answers(operation)
        return operation

    def _say_scope(self, operation: dict[str, Any], scope: Scope | None) -> None:
        needs = f"Needs the scope `{scope}`." if scope else "Needs no scope."
        operation["description"] = f"{operation.get('description', '')}\n\n{needs}".strip()
        operation["x-scope"] = str(scope) if scope else None

    def _say_body(self, operation: dict[str, Any]) -> None:
        may_be_empty = operation.pop("x-optional-body", False)
        if "requestBody" in operation:
            operation["requestBody"]["required"] = not may_be_empty

    def _say_parameters(self, operation: dict[str, Any]) -> None:
        parameters = operation.setdefault("parameters", [])
        for parameter in parameters:
            if parameter["in"] == "path" and parameter["name"].endswith("_id"):
                parameter["schema"] = {"type": "string", "format": "uuid"}
        parameters.append(_TENANT)

    def _say_answers(self, operation: dict[str, Any]) -> None:
        answers = operation["responses"]
        once = any(one["name"] == _KEY for one in operation["parameters"])
        for status, answer in answers.items():
            if status.startswith("2"):
                answer.setdefault("headers", {}).update(headers_of_success(once=once))
            elif status.startswith("4"):
                answer.setdefault("content", CONTENT)
            elif status == "503":
                answer.setdefault("headers", headers_of(["Retry-After"]))
        for status, problem in errors_of(self.method).items():
            answers.setdefault(status, problem)
