"""Do the clocks agree?"""

from datetime import datetime

from config.doctor.finding import Finding, ok, warn

_MOST_SECONDS = 2.0


def compared(whose: str, theirs: datetime, before: datetime, after: datetime) -> Finding:
    """`theirs` was read between our `before` and `after`.

    Leases do not depend on it: those go by the database's clock alone.
    """
    seconds = abs((theirs - (before + (after - before) / 2)).total_seconds())
    if seconds > _MOST_SECONDS:
        return warn(
            "Clock",
            f"{seconds:.1f} s away from {whose}",
            why="Times in logs, links and schedules will not match those of the jobs.",
            way_out="Let both machines follow the same time server (timedatectl set-ntp true).",
        )
    return ok("Clock", f"{seconds * 1000:.0f} ms away from {whose}")
