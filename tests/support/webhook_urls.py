"""URLs to be told something, and which of them were looked at, where."""

from __future__ import annotations

import pytest
from django.db import connection

from jobs import egress

HOOK = "https://hooks.example.invalid/jobs/c4nary?token=s3cret"
ANOTHER = "https://hooks.example.invalid/others"
INSIDE = "http://127.0.0.1/hook"


class Looks:
    """Every look at a URL, from here on. The test's own transaction, if it has one, is open in all
    of them; `inside` are those that were made within another one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.urls: list[str] = []
        self.inside: list[str] = []
        self._depth, self._check = len(connection.savepoint_ids), egress.check_url
        monkeypatch.setattr(egress, "check_url", self._look)

    def _look(self, url: str) -> None:
        self.urls.append(url)
        if len(connection.savepoint_ids) > self._depth:
            self.inside.append(url)
        self._check(url)
