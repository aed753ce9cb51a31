"""Django of the test process, pointed at another database for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import environ
from django.db import connections


@contextmanager
def django_pointed_at(url: str) -> Iterator[None]:
    """Inside, the ORM speaks to the database of this URL, in threads that start there too."""
    settings: dict[str, Any] = connections["default"].settings_dict
    parts = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
    before = {part: settings[part] for part in parts}
    connections["default"].close()
    settings.update({part: environ.Env.db_url_config(url)[part] for part in parts})
    try:
        yield
    finally:
        connections["default"].close()
        settings.update(before)
