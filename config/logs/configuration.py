"""The log's configuration: Django's LOGGING and LOGGING_CONFIG.

Everything goes to standard error through one handler, whoever logs it: our code and job code by
`logging` or structlog, Django, uvicorn, Celery, Flower. LOG_LEVEL alone decides how much, whatever
`--loglevel` says, but for a few loggers that would show requests or payloads below INFO.
"""

from __future__ import annotations

import logging
import logging.config
import os
import sys
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog
from django.core.exceptions import ImproperlyConfigured

from config.logs.formats import Columns, JsonLines
from config.logs.line import to_record
from config.logs.redaction import Redaction

FORMATS = ("console", "json")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_FORMATTER = "line"


class _Stream(Protocol):
    def isatty(self) -> bool: ...


def log_format(asked: str, stream: _Stream | None = None) -> str:
    """`asked`, or where that is empty `console` on a terminal and `json` elsewhere."""
    if not asked:
        return "console" if _is_terminal(stream or sys.stderr) else "json"
    if asked not in FORMATS:
        raise ImproperlyConfigured(f"LOG_FORMAT is {asked!r}; it may be console or json.")
    return asked


def logging_settings(*, level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING for `level` and `form`."""
    if level not in LEVELS:
        raise ImproperlyConfigured(f"LOG_LEVEL is {level!r}; it may be {', '.join(LEVELS)}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "without_query": {"()": "config.logs.redaction.WithoutQuery"},
            "without_body": {"()": "config.logs.redaction.WithoutBody"},
            "failures": {"()": "config.logs.configuration.Failures"},
            "without_sockets": {"()": "config.logs.configuration.WithoutSockets"},
        },
        "formatters": {_FORMATTER: {"()": "config.logs.configuration.formatter", "form": form}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": _FORMATTER}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": _loggers(level),
    }


def configure(settings: Mapping[str, Any]) -> None:
    """Django's LOGGING_CONFIG: `logging` by these settings, and structlog's calls through it."""
    logging.config.dictConfig(dict(settings))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            to_record,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def formatter(form: str) -> logging.Formatter:
    """The formatter of a process whose Django settings are read."""
    redaction = own_redaction()
    if form == "json":
        return JsonLines(redaction)
    return Columns(redaction, colours=shows_colours(sys.stderr))


def shows_colours(stream: _Stream | None) -> bool:
    """Is this a terminal, and did nobody ask for none (NO_COLOR, TERM=dumb)?"""
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return _is_terminal(stream) and wanted


class Failures(logging.Filter):
    """Of Django's words on requests those with an exception; the access line says the rest.

    One that refused the request (403) is a line without a traceback: nothing is broken.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and record.levelno < logging.ERROR:
            record.exc_info, record.refused = None, True  # who configures twice has two of this
        return bool(record.exc_info) or hasattr(record, "refused")


class WithoutSockets(logging.Filter):
    """The server's own lines about WebSockets are not kept: they show the query, in which a ticket
    may stand, and call one that was refused a fault. `jobs.live.socket` writes its own."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = str(record.msg)
        return '"WebSocket ' not in said and "without completing handshake" not in said


def _loggers(level: str) -> dict[str, Any]:
    # Their servers and Django set these up with handlers of their own, or say things twice.
    through: dict[str, Any] = {"handlers": [], "propagate": True}
    silent: dict[str, Any] = {"handlers": [], "propagate": False}
    below = logging.getLevelName(level) < logging.INFO
    # On DEBUG these show requests, messages and SQL with all that is in them.
    talkative = (
        "amqp", "boto3", "botocore", "celery.pool", "django.db.backends", "flower", "kombu",
        "s3transfer", "urllib3",
    )  # fmt: skip
    return {
        "django": {**through, "level": "INFO"},
        "django.request": {**through, "filters": ["failures"]},
        "django.server": {**through, "filters": ["without_query"]},
        "uvicorn": through,
        "uvicorn.error": {**through, "filters": ["without_sockets"]},
        "uvicorn.access": silent,  # `config.logs.requests` writes that line
        # To Celery every task of ours succeeds; what became of the job is `jobs.worker`'s to say.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.consumer.consumer": {"filters": ["without_body"]},
        **{name: {"level": "INFO"} for name in talkative if below},
    }


def own_redaction() -> Redaction:
    """Takes this installation's secrets out of a text."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    names = (
        "SECRET_KEY", "ADMIN_API_TOKEN", "OPENAI_API_KEY", "FLOWER_BASIC_AUTH",
        "S3_SECRET_ACCESS_KEY",
    )  # fmt: skip
    logins = [database.get("PASSWORD"), *(getattr(settings, name, "") for name in names)]
    brokers = [urlsplit(url).password for url in (settings.REDIS_URL, settings.BROKER_URL)]
    known = (*logins, *brokers, *settings.SECRET_KEY_FALLBACKS)
    return Redaction(str(secret) for secret in known if secret)


def _is_terminal(stream: _Stream | None) -> bool:
    return stream is not None and stream.isatty()
