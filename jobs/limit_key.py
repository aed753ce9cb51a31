"""A key computed from a job's parameters: of the limits it shares, or its unique one. Pure."""

from __future__ import annotations

import string
from collections.abc import Callable, Collection, Mapping
from typing import Any

MAX_LENGTH = 255

LimitKey = str | Callable[..., str]


def names_in(template: str) -> set[str]:
    """The parameters that a template such as `reddit:{subreddit}` names. Raises ValueError."""
    return {
        name.partition(".")[0].partition("[")[0]
        for _, name, _, _ in string.Formatter().parse(template)
        if name is not None
    }


def mistake_in(
    limit_key: LimitKey, parameters: Collection[str], *, option: str = "limit_key"
) -> str | None:
    """What is wrong with a declared key, or None."""
    if callable(limit_key):
        return None
    try:
        unknown = names_in(limit_key) - set(parameters)
    except ValueError as error:
        return f"{option} is no template: {error}"
    if unknown:
        return f"{option} names no parameter: {', '.join(sorted(unknown))}"
    return None


def whole(limit_key: LimitKey, arguments: Mapping[str, Any]) -> str:
    """The key of one job as it is; whatever the function raises is the caller's."""
    if callable(limit_key):
        return str(limit_key(**arguments))
    return limit_key.format(**arguments)
