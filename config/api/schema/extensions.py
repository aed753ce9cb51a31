"""How callers prove who they are, and how bodies are described."""

from __future__ import annotations

from typing import Any

from drf_spectacular.contrib.pydantic import PydanticExtension
from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction
from pydantic import BaseModel


class Bearer(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of a tenant, or a platform admin's.",
        }


class Session(OpenApiAuthenticationExtension):
    target_class = "accounts.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in browser; it writes with the header `X-CSRFToken`.",
        }


class Ticket(OpenApiAuthenticationExtension):
    target_class = "jobs.api.events.TicketAuthentication"
    name = "ticket"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "query",
            "name": "ticket",
            "description": "From `POST /events/ticket`; good once.",
        }


class Models(PydanticExtension):
    """Bodies are pydantic models. A field with a default may be left out, in both directions."""

    priority = 1

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        model: type[BaseModel] = self.target
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        for name, part in schema.pop("$defs", {}).items():
            _register(auto_schema, name, part)
        return schema


def _register(auto_schema: AutoSchema, name: str, part: dict[str, Any]) -> None:
    """A part by its name, which no other part has: the second would be described as the first."""
    component = ResolvedComponent(
        name=name, type=ResolvedComponent.SCHEMA, object=name, schema=part
    )
    known = auto_schema.registry
    if component in known and known[component].schema not in (None, {}, part):
        warn(f"two different models are published as {name}")
    known.register_on_missing(component)
