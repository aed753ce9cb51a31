"""Do schedules fire, and in time?"""

from collections.abc import Iterable

from config.doctor.finding import Finding, fail, ok, warn
from config.doctor.processes import START_BEAT
from jobs.terminal.words import plain
from scheduling.overdue import MOST_TOLD, Missed, missed_lately, overdue

_NAMED = 5


def schedules() -> Finding:
    """None is overdue, and none missed a run lately."""
    late = overdue()
    if late:
        names = [one.name for one in late]
        return fail(
            "Schedules",
            f"{_counted(len(late))} overdue: {_listed(names)}; since {late[0].since:%F %H:%M} UTC",
            why="Their time has passed, and nobody makes their jobs.",
            way_out=f"Start beat ({START_BEAT}) or a dispatcher (python manage.py dispatch); "
            "if one runs, its log says which schedule it cannot fire.",
        )
    missed = missed_lately()
    if not missed:
        return ok("Schedules", "none is overdue, and none missed a run lately")
    return warn(
        "Schedules",
        f"{_counted(len(missed))} did not run in time lately: {_listed(map(_told, missed))}",
        why="Work that was expected at that time was not done, or later.",
        way_out="The schedule's page in the admin says what became of each run; fill in what is "
        "missing there (Backfill). Run two beats, so that one is always there.",
    )


def _counted(number: int) -> str:
    more = " or more" if number >= MOST_TOLD else ""
    return "1 schedule" if number == 1 else f"{number}{more} schedules"


def _told(one: Missed) -> str:
    return f"{one.name} ({one.runs})"


def _listed(names: Iterable[str]) -> str:
    every = [plain(name).replace("\n", " ") for name in names]
    rest = len(every) - _NAMED
    return ", ".join(every[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
