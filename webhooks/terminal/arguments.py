"""What `manage.py webhooks` takes."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from jobs.terminal import arguments
from webhooks import secrets
from webhooks.policies import DELIVERED_EVENTS, DeliveryStatus

_MOMENT = "2026-01-31T12:00:00Z"


def add_verbs(parser: ArgumentParser) -> None:
    parts = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    arguments.add_limit(_verb(parts, "list", "endpoints, newest first"))
    _of_endpoint(parts, "show", "all that is known of one endpoint, and its newest deliveries")
    _of_endpoint(parts, "test", "send it a test event")
    _add_rotation(_of_endpoint(parts, "rotate-secret", "a new secret, shown this once"))
    enable = _of_endpoint(parts, "enable", "switch it on, whatever switched it off")
    _add_moment(enable, "--replay-since", "also send what failed or was missed since then")
    _add_replay(_of_endpoint(parts, "replay", "send again what it was to be told since a time"))
    _add_deliveries(_verb(parts, "deliveries", "what was sent, or is to be, newest first"))
    redeliver = _verb(parts, "redeliver", "send deliveries again")
    redeliver.add_argument("deliveries", nargs="+", metavar="delivery")


def _verb(parts: Any, name: str, told: str) -> ArgumentParser:
    verb: ArgumentParser = parts.add_parser(name, help=told)
    arguments.add_shared(verb)
    return verb


def _of_endpoint(parts: Any, name: str, told: str) -> ArgumentParser:
    verb = _verb(parts, name, told)
    verb.add_argument("endpoint", help="its id, the beginning of its id, or its URL")
    return verb


def _add_moment(parser: ArgumentParser, name: str, told: str, **options: Any) -> None:
    parser.add_argument(name, type=arguments.at, metavar=_MOMENT, help=told, **options)


def _add_rotation(parser: ArgumentParser) -> None:
    told = "for so long the one before signs as well, as in 12h; default 1d"
    parser.add_argument("--keep", type=_keep, default=float(secrets.OVERLAP), help=told)


def _add_replay(parser: ArgumentParser) -> None:
    _add_moment(parser, "--since", "from this moment on", required=True)
    _add_moment(parser, "--until", "and before this one")
    parser.add_argument("--all", action="store_true", help="also what arrived")


def _add_deliveries(parser: ArgumentParser) -> None:
    arguments.add_limit(parser)
    parser.add_argument("--endpoint", help="its id, the beginning of its id, or its URL")
    parser.add_argument("--job", metavar="ID", help="those that tell of this job")
    parser.add_argument("--event", choices=DELIVERED_EVENTS)
    parser.add_argument("--status", choices=DeliveryStatus.values)
    _add_moment(parser, "--since", "made then or later")
    _add_moment(parser, "--until", "made earlier")


def _keep(text: str) -> float:
    seconds = arguments.seconds(text)
    if seconds > secrets.LONGEST_OVERLAP:
        raise ArgumentTypeError(f"at most {secrets.LONGEST_OVERLAP // 86_400}d")
    return seconds
