"""What a person sees once everything runs."""

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from config.supervision.home import Home
from config.supervision.stack import FLOWER_USER, Stack


def print_summary(console: Console, stack: Stack, home: Home) -> None:
    """Print where everything is and how to stop it."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold")
    rows.add_column(overflow="fold")
    rows.add_row("API", f"{stack.base_url}/api/v1/")
    rows.add_row("API page", f"{stack.base_url}/api/v1/docs/")
    rows.add_row("Admin", f"{stack.base_url}/admin/")
    rows.add_row("Flower", f"{stack.flower_url}/")
    rows.add_row("", f"user {FLOWER_USER}, password in {home.path / 'flower-password'}")
    rows.add_row("Logs", f"python3 manage.py logs -f  (in {home.logs})")
    rows.add_row("Stop", "Ctrl-C")
    console.print(Panel(rows, title="Celeriac is ready", title_align="left", expand=False))
