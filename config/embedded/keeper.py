"""Servers that live as long as somebody holds the other end of our standard input.

`python -m config.embedded.keeper HOME [NAME=VALUE …]` starts both private servers below HOME, the
PostgreSQL with these parameters besides its own, prints one line of JSON (`{"DATABASE_URL": …,
"REDIS_URL": …}`, or `{"error": …}`), and waits. When its input ends, because its owner closed it or
was killed, it stops the servers and removes HOME and whatever lay elsewhere on its behalf.
"""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from config.embedded.account import server_account, spawn
from config.embedded.exceptions import EmbeddedServerError
from config.embedded.place import server_home
from config.embedded.postgres import prepare_postgres
from config.embedded.server import Server, wait_until_ready
from config.embedded.valkey import prepare_valkey
from config.leash import end_with_parent

# Small, but with fsync and full durability as in production, where nobody asks for less.
_POSTGRES_PARAMETERS = {"max_connections": "100", "shared_buffers": "64MB"}
_READY_SECONDS = 60.0
_STOP_SECONDS = 15.0


def main(home: Path, *parameters: str) -> int:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our owner, who then lets go of us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with _kept(home, dict(one.split("=", 1) for one in parameters)) as urls:
            print(json.dumps(urls), flush=True)  # noqa: T201 - the answer our owner reads
            sys.stdin.read()
    except EmbeddedServerError as error:
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 - as above
        return 1
    return 0


@contextmanager
def _kept(home: Path, parameters: dict[str, str]) -> Iterator[dict[str, str]]:
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        account = server_account()
        place = server_home(home, account)
        stack.callback(shutil.rmtree, place, ignore_errors=True)
        valkey = prepare_valkey(place, account)
        stack.enter_context(_running(valkey, place))
        postgres = prepare_postgres(place, account, **_POSTGRES_PARAMETERS, **parameters)
        stack.enter_context(_running(postgres, place))
        yield {server.setting: server.url for server in (postgres, valkey)}


@contextmanager
def _running(server: Server, place: Path) -> Iterator[None]:
    log = place / f"{server.name}.log"
    with log.open("wb") as output:
        process = spawn(
            server.argv,
            server.account,
            output=output,
            cwd=server.data.parent,
            in_child=end_with_parent(server.stop_signal),
        )
    try:
        wait_until_ready(server, seconds=_READY_SECONDS, log=log)
        yield
    finally:
        _end(process, server.stop_signal)


def _end(process: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
