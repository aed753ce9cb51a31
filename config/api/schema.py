"""The published schema: what `drf_spectacular` cannot know by looking at the views."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction
from pydantic import BaseModel


class Bearer(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}


class Session(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}


class Models(PydanticExtension):
    """Bodies are pydantic models. A field with a default may be left out, in both directions."""

    priority = 1

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        model: type[BaseModel] = self.target
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, part in schema.pop("$defs", {}).items():
            auto_schema.registry.register_on_missing(
                ResolvedComponent(
                    name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part
                )
            )
        return schema


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `errors` says which fields break a rule.",
    "required": ["type", "title", "status", "detail", "instance", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_PROBLEM_ANSWER = {
    "description": "Any error.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_TENANT = {
    "name": "X-Tenant",
    "in": "header",
    "schema": {"type": "string"},
    "description": "The tenant a platform admin acts for, by its slug; `*` reads all of them. A "
    "signed-in member of several tenants must name one, except to `/me`, which lists them.",
}


def say_what_all_calls_share(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Errors and the header X-Tenant, which are the same everywhere."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"]["default"] = _PROBLEM_ANSWER
            operation.setdefault("parameters", []).append(_TENANT)
    return result
