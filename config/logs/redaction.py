"""Keeps secrets out of the log, whoever tries to write them there.

Nothing of ours logs a secret. This is for the words of others: the error of a driver that repeats
its URL, a traceback, a line of job code.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote

_SHORTEST = 6  # a shorter text would be found where it is no secret
_IN_URL = re.compile(r"(://[^/\s:@\"']*:)[^/\s@\"']+@")
_BEARER = re.compile(r"(\bbearer\s+)[^\s\"',;]+", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s\"']*")
# Of a URL, or of what `requests` makes of it in its errors: `with url: /path?query`.
_QUERY_OF_URL = re.compile(r"((?:://|\burl: /)[^\s?\"'<>\\]*)\?[^\s\"'<>\\)]*")


class Redaction:
    """Takes known secrets, passwords and queries inside URLs, and bearer tokens out of a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
        # The longest first: one may begin with another.
        self._secrets = sorted((s for s in known if len(s) >= _SHORTEST), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            if secret in text:
                text = text.replace(secret, "***")
        if "://" in text:
            text = _IN_URL.sub(r"\1***@", text)
        if "?" in text:
            text = _QUERY_OF_URL.sub(r"\1?***", text)
        if "earer " in text or "EARER " in text:
            text = _BEARER.sub(r"\1***", text)
        return text


class WithoutQuery(logging.Filter):
    """For loggers that write whole request lines: what follows the `?` may be a secret."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _QUERY.sub("?***", record.getMessage()), ()
        return True


class WithoutBody(logging.Filter):
    """For Celery's consumer, which shows the whole body of a message that it cannot use."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = str(record.msg)
        if "message body" in text:
            record.msg, record.args = text.partition("\n")[0].replace("%s", "***"), ()
        return True
