import signal
from types import FrameType
from typing import Any

from celery import current_app as app
from django.core.management.base import BaseCommand

from jobs.database import guard_connections
from jobs.dispatcher.loop import Dispatcher


class Command(BaseCommand):
    help = "Run a dispatcher: it sends ready jobs to workers. Run two or more; one leads."
    # Those that keep it from starting. All of Django's would load every page and route.
    requires_system_checks = ["celeriac"]

    def handle(self, *args: Any, **options: Any) -> None:
        # A leader frozen inside its transaction holds the row that its successor needs.
        guard_connections(statement_seconds=10, lock_seconds=2, idle_seconds=3)
        dispatcher = Dispatcher(app)

        def stop(signum: int, frame: FrameType | None) -> None:
            dispatcher.stop()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        dispatcher.run()
