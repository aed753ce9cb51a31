"""One call, made again while it makes sense."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from celeriac_client.errors import error_of

_COMES_BACK = frozenset({429, 503})
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_CONNECT_SECONDS, _READ_SECONDS = 5, 60


class Sender:
    """Sends with the token, and waits `patience` seconds at most for a server that is away or asks
    to come later. Use it in one thread."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        tenant: str | None,
        patience: float,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = f"{url.rstrip('/')}/api/v1"
        self._patience = patience
        self._sleep = sleep
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"
        if tenant is not None:
            self.session.headers["X-Tenant"] = tenant

    def send(self, method: str, path: str, *, again: bool = False, **options: Any) -> Any:
        """What it answers, from JSON. `again`: the call may arrive twice without harm, so it is
        repeated where the connection broke. Raises ApiError, or requests' own errors."""
        deadline, pause = time.monotonic() + self._patience, _FIRST_PAUSE
        while True:
            answer: requests.Response | None = None
            try:
                answer = self.open(method, path, **options)
                if answer.status_code not in _COMES_BACK:
                    return _checked(answer)
            except requests.ConnectionError:
                if not again or time.monotonic() + pause > deadline:
                    raise
            wait = _asked(answer, pause)
            if answer is not None and time.monotonic() + wait > deadline:
                return _checked(answer)
            self._sleep(wait)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def open(self, method: str, path: str, **options: Any) -> requests.Response:
        """One request, whatever it answers."""
        options.setdefault("timeout", (_CONNECT_SECONDS, _READ_SECONDS))
        return self.session.request(method, f"{self._base}{path}", **options)


def _asked(answer: requests.Response | None, pause: float) -> float:
    """As long as the server asks for, or the pause; a little more, so that not all come at once."""
    headers: Mapping[str, str] = {} if answer is None else answer.headers
    text = headers.get("Retry-After", "")
    seconds = float(text) if text.isdigit() else pause
    return seconds + random.uniform(0, 0.2) * pause  # noqa: S311 (no secret)


def _checked(answer: requests.Response) -> Any:
    if answer.ok:
        return answer.json() if answer.content else None
    try:
        problem = answer.json()
    except requests.JSONDecodeError:  # something between us and the server has answered
        problem = {"title": answer.reason}
    raise error_of(answer.status_code, problem)
