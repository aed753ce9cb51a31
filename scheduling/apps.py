from datetime import timedelta

from django.apps import AppConfig

SWEEP_SECONDS = 5.0
PATIENCE = timedelta(seconds=5)  # what beat did not get to


class SchedulingConfig(AppConfig):
    name = "scheduling"

    def ready(self) -> None:
        """The leading dispatcher sweeps up what beat missed. And what is declared is checked."""
        from jobs.dispatcher import chores
        from scheduling import checks  # noqa: F401 (it registers itself)
        from scheduling.firing import Firing

        sweep = Firing(overdue_by=PATIENCE)
        chores.register(chores.Chore(name="schedules", every_seconds=SWEEP_SECONDS, step=sweep.run))
