"""What can keep the processes from running, each with its way out."""

from pathlib import Path


class SupervisionError(Exception):
    """The processes cannot run. The text says why, and what to do about it."""


class PortTakenError(SupervisionError):
    """Another program listens where one of ours should."""

    def __init__(self, what: str, host: str, port: int, setting: str) -> None:
        super().__init__(
            f"{what} cannot listen on {host}:{port}: another program does, or this user may not. "
            f"Stop that program, or choose another port: {setting}={port + 1}."
        )


class AlreadyRunningError(SupervisionError):
    """Another `manage.py up` or `demo` runs on the same CELERIAC_HOME."""

    def __init__(self, home: Path, pid: str) -> None:
        super().__init__(
            f"Celeriac already runs on {home} (process {pid}). Stop that one first, or give this "
            f"one a CELERIAC_HOME of its own, with another PORT and FLOWER_PORT."
        )


class NotPreparedError(SupervisionError):
    """The database could not be brought up to date."""

    def __init__(self) -> None:
        super().__init__("The database could not be prepared; the reason stands above.")


class NotReadyError(SupervisionError):
    """The web process did not become ready."""

    def __init__(self, url: str, seconds: float, log: str) -> None:
        super().__init__(
            f"{url} did not answer 200 within {seconds:g} seconds. "
            f"The last lines of the web process:\n{log}"
        )


class SupervisorEndedError(SupervisionError):
    """supervisord ended although nobody asked it to."""

    def __init__(self, log: Path) -> None:
        super().__init__(f"The supervisor ended by itself; {log} may say why. Start again.")
