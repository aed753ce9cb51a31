"""The REST API as a program uses it: a token, JSON, and patience where patience is asked for."""

import mimetypes
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

TIMEOUT = (3, 30)
MOST_PATIENCE = 120.0
"""Seconds that one request may spend waiting because the server asked for it."""

EAGER_PAUSE = 0.15
EAGER_ABOVE = 30
"""Requests left in the rate limit's window above which nobody needs to save them."""

JobJson = dict[str, Any]


class ApiError(Exception):
    """The API did not do what was asked, in words for the person at the terminal."""


class Api:
    """One session with the API of a server."""

    def __init__(self, base_url: str, token: str) -> None:
        self._root = base_url.rstrip("/") + "/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {token}"
        self.pause = EAGER_PAUSE

    def __enter__(self) -> "Api":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._session.close()

    def create_job(self, body: JobJson) -> JobJson:
        """The accepted job."""
        return self._call("POST", "/jobs", json=body)

    def upload(self, path: Path) -> JobJson:
        """The stored file, by whose `id` a payload can name it."""
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return self._call(
            "POST", "/files", files={"file": (path.name, path.read_bytes(), content_type)}
        )

    def job(self, job_id: str) -> JobJson:
        """The job as it is now."""
        return self._call("GET", f"/jobs/{job_id}")

    def _call(self, method: str, path: str, **content: Any) -> JobJson:
        end = time.monotonic() + MOST_PATIENCE
        while True:
            answer = self._send(method, path, **content)
            wait = _seconds(answer, "Retry-After", 1.0)
            if answer.status_code not in {429, 503} or time.monotonic() + wait > end:
                break
            time.sleep(wait)
        self.pause = pause(
            _seconds(answer, "X-RateLimit-Remaining", float("inf")),
            _seconds(answer, "X-RateLimit-Reset", 0.0),
        )
        if not answer.ok:
            raise ApiError(f"{method} {path} was answered with {_problem(answer)}")
        return _object(answer)

    def _send(self, method: str, path: str, **content: Any) -> requests.Response:
        try:
            return self._session.request(method, self._root + path, timeout=TIMEOUT, **content)
        except requests.RequestException as error:
            raise ApiError(f"{self._root} does not answer ({type(error).__name__}).") from error


def pause(remaining: float, reset_seconds: float) -> float:
    """Seconds to wait before the next look, so that the rate limit is never reached."""
    if remaining > EAGER_ABOVE:
        return EAGER_PAUSE
    return max(EAGER_PAUSE, reset_seconds / max(remaining, 1.0))


def _seconds(answer: requests.Response, header: str, default: float) -> float:
    try:
        return max(0.0, float(answer.headers[header]))
    except (KeyError, ValueError):
        return default


def _object(answer: requests.Response) -> JobJson:
    try:
        said = answer.json()
    except requests.JSONDecodeError as error:
        raise ApiError(f"{answer.url} answered without JSON.") from error
    if not isinstance(said, dict):
        raise ApiError(f"{answer.url} answered without a JSON object.")
    return said


def _problem(answer: requests.Response) -> str:
    """Status and explanation, as RFC 9457 puts them."""
    try:
        said = answer.json()
        details = [said.get("detail") or said.get("title") or ""]
        details += [f"{e.get('pointer')}: {e.get('detail')}" for e in said.get("errors") or []]
    except (ValueError, AttributeError, TypeError):
        details = [answer.reason or ""]
    return f"{answer.status_code}: {' '.join(filter(None, details)) or 'no explanation'}"
