"""Where to go from here: addresses, and two commands to copy."""

from urllib.parse import urlsplit

from django.conf import settings
from rich.console import Console
from rich.rule import Rule
from rich.table import Table


def ways_on(base_url: str, token: str, console: Console) -> None:
    """Print the addresses, and the token in a line that can be copied whole."""
    base = base_url.rstrip("/")
    table = Table.grid(padding=(0, 2))
    for name, url in (
        ("Admin", f"{base}/admin/"),
        ("API docs", f"{base}/api/v1/docs/"),
        ("Jobs", f"{base}/admin/jobs/job/"),
        ("Flower", f"http://{_host(base)}:{settings.FLOWER_PORT}/"),
    ):
        table.add_row(f"[bold]{name}[/]", f"[link={url}]{url}[/link]")
    console.print()
    console.print(Rule("Look around", align="left", style="cyan"))
    console.print(table)
    console.print(
        "\nSign in as [bold]admin[/] with the password that the first start printed, at the top; "
        "lost it? [bold]python3 manage.py changepassword admin[/]. Flower's stands in "
        "[bold]flower-password[/] beside the logs."
    )
    console.print(
        "\nOr ask as a program does, with the demonstration's own token (of tenant demo; the next "
        "demo makes a new one):\n"
    )
    for command in _commands(base, token):
        # Unwrapped, because a command broken over two lines cannot be pasted.
        console.print(command, style="dim", soft_wrap=True, highlight=False, markup=False)
    console.print()


def _commands(base: str, token: str) -> list[str]:
    return [
        f"TOKEN={token}",
        f'curl -s -H "Authorization: Bearer $TOKEN" "{base}/api/v1/jobs?limit=1" '
        "| python3 -m json.tool",
        'curl -s -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" '
        '-d \'{"type": "diagnostics.echo", "payload": {"hello": "world"}}\' '
        f'"{base}/api/v1/jobs"',
    ]


def _host(base: str) -> str:
    host = urlsplit(base).hostname or "127.0.0.1"
    return f"[{host}]" if ":" in host else host
