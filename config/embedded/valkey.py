"""A private Valkey (or Redis): broker, rate limits and live events of one machine."""

import signal
from pathlib import Path

import redis

from config.embedded.account import Account, own, owner_name
from config.embedded.exceptions import ForeignDataError
from config.embedded.ports import LOOPBACK, kept_port
from config.embedded.private_file import kept_secret, write_private
from config.embedded.programs import valkey_program
from config.embedded.server import Server, running


def prepare_valkey(home: Path, account: Account) -> Server:
    """The private Valkey below `home`: on loopback, with a password, its data kept in a log.

    Its settings, with the password, go into a file that only it may read, because every user of
    the machine can read a command line.

    Raises:
        EmbeddedServerError: it cannot run here; the text says what to do.
    """
    directory = home / "valkey"
    data = directory / "data"
    directory.mkdir(mode=0o711, exist_ok=True)
    directory.chmod(0o711)
    program = valkey_program(account, home)
    password = kept_secret(directory / "password")
    if not data.exists():
        data.mkdir()
        own(data, account, 0o700)
    if data.stat().st_uid != account.uid:
        raise ForeignDataError(data, owner_name(data), account.name)

    pid_file = data / "valkey.pid"
    port = kept_port(directory / "port", in_use_by_us=running(pid_file, data) is not None)
    settings_file = directory / "valkey.conf"
    write_private(settings_file, _settings(data, pid_file, port, password))
    own(settings_file, account, 0o600)
    return Server(
        name="valkey",
        argv=(str(program), str(settings_file)),
        account=account,
        data=data,
        pid_file=pid_file,
        port=port,
        url=f"redis://:{password}@{LOOPBACK}:{port}/0",
        setting="REDIS_URL",
        stop_signal=signal.SIGTERM,
        answers=_answers,
    )


def _settings(data: Path, pid_file: Path, port: int, password: str) -> str:
    return "\n".join(
        [
            f"bind {LOOPBACK}",
            f"port {port}",
            f"requirepass {password}",
            f"dir {_quoted(data)}",
            f"pidfile {_quoted(pid_file)}",
            "daemonize no",
            "appendonly yes",
            'save ""',
            # A broker that evicts keys loses messages without a word; better it says it is full.
            "maxmemory-policy noeviction",
            "",
        ]
    )


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _answers(url: str) -> bool:
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
