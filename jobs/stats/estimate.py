"""How many rows the planner expects, for many questions in one round trip.

It asks the statistics that ANALYZE keeps (`job_groups` knows tenant, queue and status together),
so the cost does not grow with the table. How true the answer is depends on how fresh they are.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Q

from jobs.models import Job
from jobs.stats.whose import Whose

Key = TypeVar("Key", bound=Hashable)


def estimates(whose: Whose, groups: Mapping[Key, Q]) -> dict[Key, int]:
    """For each group of jobs the number that is likely."""
    if not groups:
        return {}
    first, *others = [
        Job.objects.filter(whose.condition, group).values("pk") for group in groups.values()
    ]
    asked = first.union(*others, all=True) if others else first
    with transaction.atomic():
        _plan_in_order()
        (answer,) = json.loads(asked.explain(format="json"))
    return dict(zip(groups, _rows(answer["Plan"], len(groups)), strict=True))


def _plan_in_order() -> None:
    """A parallel plan would sort its parts by cost."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('max_parallel_workers_per_gather', '0', true)")


def _rows(plan: Mapping[str, Any], groups: int) -> list[int]:
    parts = plan["Plans"] if groups > 1 else [plan]
    return [int(part["Plan Rows"]) for part in parts]
