from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from config.demo.access import fresh_token


class Command(BaseCommand):
    help = "Makes the tenant `demo` if it is missing and prints a new token of it."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(fresh_token())
        except Error as error:
            raise CommandError(f"The database gives no token: {error}") from error
