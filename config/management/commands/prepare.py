from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from accounts.bootstrap import FirstStart, first_start


class Command(BaseCommand):
    help = (
        "Brings the database and the static files up to date, and makes the first admin user and "
        "platform token where there are none; those are printed once. A release step: `up` runs it "
        "by itself, a deployment of many containers runs it once before them."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        made = first_start()
        if made:
            self._show(made)

    def _show(self, made: FirstStart) -> None:
        lines = [
            "",
            "First start. These are shown once; keep them:",
            f"  Admin user      {made.admin_username}",
            f"  Password        {made.admin_password}",
            f"  Platform token  {made.admin_token}",
            "",
        ]
        self.stdout.write("\n".join(lines))
