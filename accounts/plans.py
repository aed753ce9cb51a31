"""What a tenant's plan decides about priority. Limits by plan join here when they exist."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Priorities on the scale 0-100, higher first."""

    name: str
    default_priority: int  # where a request names none
    highest_priority: int  # above it a request is refused; ageing is not bound by it


PLANS = {
    plan.name: plan
    for plan in (
        Plan(name="free", default_priority=10, highest_priority=69),
        Plan(name="basic", default_priority=50, highest_priority=89),
        Plan(name="premium", default_priority=75, highest_priority=94),
        Plan(name="enterprise", default_priority=95, highest_priority=100),
    )
}
