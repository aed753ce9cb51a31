"""The errors that every call may answer, and the headers of answers."""

from __future__ import annotations

from typing import Any

_RATE = {
    "X-RateLimit-Limit": "How many calls of this kind the window takes.",
    "X-RateLimit-Remaining": "How many of them are left.",
    "X-RateLimit-Reset": "Seconds until the oldest call leaves the window.",
}
_RETRY_AFTER = "Retry-After"


def _whole(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer", "minimum": 0, **schema}}


HEADERS: dict[str, Any] = {
    **{name: _whole(text) for name, text in _RATE.items()},
    _RETRY_AFTER: _whole("Seconds after which the call may be made again."),
    "Idempotent-Replay": {
        "description": "There where the answer is that of an earlier request with the same key.",
        "schema": {"type": "string", "const": "true"},
    },
    "WWW-Authenticate": {"description": "How to sign in.", "schema": {"type": "string"}},
}

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `errors` says which fields break a rule.",
    "required": ["type", "title", "status", "detail", "instance", "errors"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri",
            "description": "`about:blank`, or what programs can tell apart where `status` says "
            "too little, as `urn:celeriac:problem:unique-key-taken`.",
        },
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was asked."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "A JSON pointer into the body, or `/name` of a parameter.",
                    },
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

# Status: the name of the answer, what it means, and headers of its own.
_ERRORS: dict[str, tuple[str, str, list[str]]] = {
    "400": ("Malformed", "The body is not strict JSON, or a header is not well formed.", []),
    "401": ("Unauthenticated", "No valid token, and no session.", ["WWW-Authenticate"]),
    "403": ("Forbidden", "A scope is missing, or the tenant or owner is another's.", []),
    "404": ("NotFound", "Missing, malformed or another tenant's: all the same.", []),
    "409": ("Conflict", "Its state does not allow it, or somebody else is changing it.",
            [_RETRY_AFTER]),
    "413": ("TooLarge", "The body, or the payload in it, is too large.", []),
    "415": ("Unsupported", "The body is of another type or encoding than the call takes.", []),
    "422": ("Unprocessable", "A field or a query parameter breaks a rule, or is unknown.", []),
    "429": ("TooMany", "Too many calls, or a quota is used up.", [_RETRY_AFTER, *_RATE]),
    "503": ("Away", "The database is away, or something else that comes back.", [_RETRY_AFTER]),
    "default": ("Failed", "Any other error.", []),
}  # fmt: skip
_OF_WRITING = frozenset({"409"})
_OF_A_BODY = frozenset({"400", "413", "415"})


def responses() -> dict[str, Any]:
    """The components that operations refer to."""
    return {
        name: {
            "description": text,
            "headers": headers_of(names),
            "content": CONTENT,
        }
        for name, text, names in _ERRORS.values()
    }


def headers_of(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def errors_of(method: str) -> dict[str, Any]:
    """What a call of this method may answer beside its success."""
    left_out: frozenset[str] = frozenset()
    if method == "GET":
        left_out = _OF_WRITING | _OF_A_BODY
    elif method == "DELETE":
        left_out = _OF_A_BODY
    return {
        status: {"$ref": f"#/components/responses/{name}"}
        for status, (name, *_) in _ERRORS.items()
        if status not in left_out
    }


def headers_of_success(*, once: bool) -> dict[str, Any]:
    """`once`: the call takes an Idempotency-Key."""
    return headers_of([*_RATE, *(["Idempotent-Replay"] if once else [])])
