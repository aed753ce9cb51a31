"""Whose jobs a figure is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Jobs of one tenant (by its key) or of all, of one owner or of any."""

    tenant: int | None = None
    owner: str = ""

    @property
    def of_owner(self) -> str:
        """SQL that keeps a job of the owner; the second half lets the planner take the index of
        jobs that have one."""
        return "AND job.owner = %(owner)s AND job.owner <> ''" if self.owner else ""

    @property
    def parameters(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "owner": self.owner}


EVERYBODYS = Whose()
