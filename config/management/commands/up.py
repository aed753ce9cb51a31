from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console

from config.supervision.command import run_celeriac


class Command(BaseCommand):
    help = (
        "Runs all of Celeriac on this machine until Ctrl-C: private PostgreSQL and Valkey where "
        "DATABASE_URL and REDIS_URL name none, web, dispatchers, a worker, beat and Flower."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        run_celeriac(Console(highlight=False), lambda stack: stack.watch())
