import signal
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.flower.login import LoginRefused


class Command(BaseCommand):
    help = (
        "Runs Flower behind the login FLOWER_BASIC_AUTH. Its other options come from the "
        "environment as FLOWER_… (FLOWER_URL_PREFIX, FLOWER_MAX_TASKS)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default=settings.HOST, help="default: HOST")
        parser.add_argument(
            "--port", type=int, default=settings.FLOWER_PORT, help="default: FLOWER_PORT"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Flower takes its time to load, and no other command needs it.
        from config.flower.run import serve

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            serve(
                address=options["address"],
                port=options["port"],
                login=settings.FLOWER_BASIC_AUTH,
                public_url=settings.PUBLIC_URL,
            )
        except LoginRefused as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(
                f"Flower cannot listen on {options['address']}:{options['port']}: {error.strerror}."
            ) from error
