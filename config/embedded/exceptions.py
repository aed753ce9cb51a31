"""What can keep a private server from running, each with its way out."""

from pathlib import Path


class EmbeddedServerError(Exception):
    """A private server cannot run. The text says why, and what to do about it."""


class NoBinaryError(EmbeddedServerError):
    """No server program fits this machine."""

    def __init__(self, product: str, setting: str) -> None:
        super().__init__(
            f"There is no {product} server program for this machine: neither the one that comes "
            f"with the requirements nor one on PATH. Set {setting} to a server you have."
        )


class OtherVersionError(EmbeddedServerError):
    """The data were written by another major version of PostgreSQL."""

    def __init__(self, data: Path, wrote: str, have: str) -> None:
        super().__init__(
            f"The data in {data} were written by PostgreSQL {wrote}, and the program here is "
            f"PostgreSQL {have}. Either move them over: run PostgreSQL {wrote} on that directory, "
            f"`pg_dump` the database, set the directory aside, start again and load the dump. "
            f"Or point DATABASE_URL at a PostgreSQL {wrote} server. Nothing has been changed."
        )


class ForeignDataError(EmbeddedServerError):
    """The data belong to another user of this machine."""

    def __init__(self, data: Path, owner: str, account: str) -> None:
        super().__init__(
            f"The data in {data} belong to {owner}, but the server would run as {account}. "
            f"Start Celeriac as the user who started it before, or hand the data over with "
            f"`chown -R {account} {data}`."
        )


class ClosedPlaceError(EmbeddedServerError):
    """The data lie where the servers' user can no longer enter."""

    def __init__(self, place: Path, account: str) -> None:
        super().__init__(
            f"The servers' data are in {place}, but {account}, as whom the servers run, cannot "
            f"enter it. Give that user the right to enter (x) each directory of that path, or set "
            f"CELERIAC_HOME elsewhere to begin with empty servers."
        )


class NotReadyError(EmbeddedServerError):
    """A server was started and did not answer in time."""

    def __init__(self, name: str, seconds: float, log: str) -> None:
        last = f" Its last lines:\n{log}" if log else ""
        super().__init__(f"{name} did not answer within {seconds:g} seconds.{last}")
