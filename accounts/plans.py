"""What a tenant's plan decides: priorities, and its share where tenants take turns."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Priorities on the scale 0-100, higher first."""

    name: str
    default_priority: int  # where a request names none
    highest_priority: int  # above it a request is refused; ageing is not bound by it
    weight: int  # of several tenants with waiting jobs of one level: starts in proportion


PLANS = {
    plan.name: plan
    for plan in (
        Plan(name="free", default_priority=10, highest_priority=69, weight=1),
        Plan(name="basic", default_priority=50, highest_priority=89, weight=2),
        Plan(name="premium", default_priority=75, highest_priority=94, weight=4),
        Plan(name="enterprise", default_priority=95, highest_priority=100, weight=8),
    )
}
