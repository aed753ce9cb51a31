"""Which servers this run brings along, and how other terminals learn of them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.embedded.account import server_account
from config.embedded.place import server_home
from config.embedded.postgres import prepare_postgres
from config.embedded.private_file import write_private
from config.embedded.server import Server
from config.embedded.valkey import prepare_valkey
from config.supervision.home import Home

_PREPARE = {"DATABASE_URL": prepare_postgres, "REDIS_URL": prepare_valkey}


def private_servers(home: Home, given: dict[str, str]) -> list[Server]:
    """The servers for which `given` has no address, made ready to be started.

    An address that stands in CELERIAC_HOME/embedded.env was not given by anybody: an earlier run
    left it there when it was killed.

    Raises:
        EmbeddedServerError: one cannot run here.
    """
    ours = _addresses(home.embedded_env)
    needed = [name for name in _PREPARE if not given.get(name) or given[name] == ours.get(name)]
    if not needed:
        return []
    account = server_account()
    place = server_home(home.path, account)
    return [_PREPARE[name](place, account) for name in needed]


@contextmanager
def published(servers: Sequence[Server], home: Home) -> Iterator[None]:
    """Let commands in other terminals find the private servers, for as long as these run."""
    write_private(
        home.embedded_env, "".join(f"{server.setting}={server.url}\n" for server in servers)
    )
    try:
        yield
    finally:
        home.embedded_env.unlink(missing_ok=True)


def _addresses(embedded_env: Path) -> dict[str, str]:
    if not embedded_env.exists():
        return {}
    return dict(line.split("=", 1) for line in embedded_env.read_text().splitlines() if line)
