"""What a command answers when it does not do what was asked: words and exit status 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError

from accounts.api.refusals import Unprocessable
from accounts.terminal import database_trouble_in_words
from jobs.exceptions import FieldErrors, InvalidPayload, JobsError

REFUSED = 2


class Refused(CommandError):
    """Nothing was done, or not this; the message says why and what would help."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=REFUSED)


@contextmanager
def in_words() -> Iterator[None]:
    """Turns what the engine and the database refuse into `Refused`."""
    try:
        with database_trouble_in_words():
            yield
    except Unprocessable as error:
        raise Refused("; ".join(_told(*one) for one in error.errors)) from error
    except InvalidPayload as error:
        told = "; ".join(f"{one.pointer or 'the whole'}: {one.detail}" for one in error.errors)
        raise Refused(f"--payload does not fit the job type. {told}") from error
    except FieldErrors as error:
        raise Refused("; ".join(_told(one.pointer, one.detail) for one in error.errors)) from error
    except JobsError as error:
        raise Refused(str(error)) from error


# Options that are not called as the field of the API is.
_OPTIONS = {
    "delay-seconds": "delay",
    "timeout-seconds": "timeout",
    "labels": "label",
    "unique-for-seconds": "unique-for",
    "debounce-seconds": "debounce",
}


def _told(pointer: str, detail: str) -> str:
    field, _, rest = pointer.removeprefix("/").partition("/")
    option = field.replace("_", "-")
    place = f" {rest}" if rest else ""
    return f"--{_OPTIONS.get(option, option)}{place}: {detail}"
