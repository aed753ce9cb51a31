"""A whole Celeriac with a web process, for a browser to walk through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.test import Client, override_settings

from config.bootstrap import ROOT
from config.embedded.ports import free_port
from jobs import wire
from tests.support.arena import Arena
from tests.support.waiting import wait_for

PASSWORD = "only for these tests"
LONGER: dict[str, Any] = {"LEASE_SECONDS": "30"}  # no attempt may be lost to a busy machine


class Site:
    """An arena at work, and the address of its web process."""

    def __init__(self, arena: Arena, **settings: str) -> None:
        """`settings` are the web process's, by name."""
        self.arena = arena
        self._settings = settings
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def at_work(self) -> Iterator[Site]:
        with self.arena.entered():
            self._collect_static_files()
            self.arena.dispatcher(**LONGER)
            self.arena.worker(**LONGER)
            self.start_web()
            yield self

    @contextmanager
    def telling(self) -> Iterator[None]:
        """Inside, what this process does to jobs is told in the arena's Redis."""
        with override_settings(REDIS_URL=self.arena.valkey.url):
            wire.start_anew()
            yield
        wire.start_anew()

    def _collect_static_files(self) -> None:
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"],
            cwd=ROOT, env=self.arena.environment(), check=True, timeout=120,
        )  # fmt: skip

    def start_web(self) -> None:
        argv = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--lifespan=off"]
        argv += ["--host=127.0.0.1", f"--port={self.port}", "--log-level=warning"]
        argv += ["--ws=websockets-sansio", "--ws-max-size=65536"]
        web = self.web = self.arena.start("web", argv, self._settings)
        wait_for(
            lambda: web.is_alive and self._is_ready(), seconds=90, what="the web process answers"
        )

    def restart_web(self) -> None:
        """Asked to stop, it ends by itself; then another one starts."""
        self.web.send(signal.SIGTERM)
        self.web.wait_until_ended(seconds=30)
        self.start_web()

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):  # it does not listen yet, or is slow
            return False

    def superuser(self, name: str = "") -> User:
        """A platform admin who did not exist before."""
        name = name or f"admin-{os.urandom(4).hex()}"
        user: User = get_user_model()._default_manager.create_superuser(name, password=PASSWORD)
        return user

    def session_of(self, user: User) -> str:
        """What the session's cookie holds in a browser whose person signed in."""
        client = Client()
        client.force_login(user)
        session: str = client.cookies[settings.SESSION_COOKIE_NAME].value
        return session
