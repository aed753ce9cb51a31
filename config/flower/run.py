"""Flower's process."""

import logging

from flower.command import apply_env_options, extract_settings
from flower.options import options
from flower.urls import settings
from tornado.options import OptionParser

from config.celery import app
from config.flower.application import GuardedFlower
from config.flower.links import Links
from config.flower.login import Logins, parsed

logger = logging.getLogger(__name__)

# Flower keeps what it has seen in memory alone, and starts empty after a restart.
_BOUNDS = {
    "max_tasks": 10_000,
    "max_workers": 500,
    "purge_offline_workers": 3600,  # seconds
}


def serve(*, address: str, port: int, login: str, public_url: str) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises LoginRefused; OSError where the port is taken."""
    logins = parsed(login)
    _configure(options, address, port, logins)
    flower = GuardedFlower(
        capp=app, options=options, logins=logins, links=Links(public_url=public_url), **settings
    )
    flower.start_http_server()
    logger.info("Flower listens on %s:%s", address, port)
    try:
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        flower.stop()


def _configure(options: OptionParser, address: str, port: int, logins: Logins) -> None:
    """Our defaults, what FLOWER_… in the environment says, and what is not its to say."""
    for name, value in _BOUNDS.items():
        setattr(options, name, value)
    apply_env_options()
    options.address, options.port = address, port
    options.basic_auth = [login.decode() for login in logins.accepted]  # its own check stays
    extract_settings()
    logging.getLogger("tornado.access").setLevel(logging.WARNING)  # refused logins among them
