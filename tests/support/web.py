"""Web processes as `up` starts them, on the database of a test."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from config.bootstrap import ROOT
from config.supervision.programs import PlatformOptions, platform_programs
from tests.support.addresses import database_url, free_port
from tests.support.programs import Program
from tests.support.waiting import wait_for


@dataclass(frozen=True, kw_only=True)
class Web:
    """One process that serves the API on a free port of the loopback."""

    port: int
    program: Program

    def ask(
        self, method: str, path: str, token: str = "", *, body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Any]:  # fmt: skip
        """Status and body of the answer."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            line.request(method, path, None if body is None else json.dumps(body), sent)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        return answer.status, json.loads(text) if text else None

    def answers(self) -> bool:
        try:
            return self.program.is_alive and self.ask("GET", "/readyz")[0] == 200
        except (OSError, ValueError):
            return False


@contextmanager
def serving(home: Path, *names: str, proxies: tuple[str, ...] = ()) -> Iterator[list[Web]]:
    """So many processes as there are names, ready; gone at the end."""
    started = [_web(name, home, proxies) for name in names]
    try:
        for web in started:
            web.program.start()
        for web in started:
            wait_for(web.answers, seconds=60, what=f"{web.program.name} answers")
        yield started
    finally:
        for web in started:
            web.program.clear_away()


def _web(name: str, home: Path, proxies: tuple[str, ...]) -> Web:
    port = free_port()
    options = PlatformOptions(
        host="127.0.0.1", port=port, flower_port=0, flower_login="", slots=1,
        soft_stop_seconds=1.0, log_level="DEBUG", trusted_proxies=proxies,
    )  # fmt: skip
    [order] = [one.order for one in platform_programs(options, ROOT) if one.name == "web"]
    environment = {
        **os.environ,
        "CELERIAC_HOME": str(home),
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "LOG_LEVEL": "DEBUG",
        "RATE_LIMIT_ENABLED": "0",
    }
    return Web(port=port, program=Program(name, order.argv, environment, home))
