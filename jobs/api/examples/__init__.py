"""What the calls about jobs take and answer, by model, as the published schema shows it.

A test holds each against its model. Where a call has examples of its own, those are shown.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from jobs.api.examples import figures, groups, many, one, places

__all__ = ["EXAMPLES"]

EXAMPLES: dict[type[BaseModel], Any] = {
    **one.EXAMPLES,
    **many.EXAMPLES,
    **groups.EXAMPLES,
    **places.EXAMPLES,
    **figures.EXAMPLES,
}
