"""How asking a language model can fail. Branch on the type, never on the text.

    LanguageModelError
    ├── Unavailable    no server, or it is broken: worth another attempt later
    ├── Busy           the server asked for patience, maybe with a time
    ├── OutOfTime      the answer took longer than allowed
    ├── BadAnswer      something came that is no answer
    └── Refused        the question or the set-up is wrong: another attempt will not help

The messages name no host and no URL, because a job's error is shown to its tenant.
"""


class LanguageModelError(Exception):
    """The language model gave no usable answer."""


class Unavailable(LanguageModelError):
    """The language model's server cannot be reached or is broken."""


class Busy(LanguageModelError):
    """The language model's server has too much to do; `retry_after` is in seconds, if it said."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OutOfTime(LanguageModelError):
    """The answer was not complete within the time allowed."""


class BadAnswer(LanguageModelError):
    """The stream broke off, was not in the agreed form, was empty, or never ended."""


class Refused(LanguageModelError):
    """The server will not answer this question from us, now or later."""
