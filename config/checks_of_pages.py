"""Django's own checks of the admin's pages, which are not known to it before they are imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin.checks import check_admin_app
from django.core.checks import CheckMessage, Tags, register


@register(Tags.admin)
def pages_are_sound(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """What Django finds wrong with a page. Nothing where Django itself could look."""
    if "config.admin_pages" in sys.modules:
        return []
    import config.admin_pages  # noqa: F401 (no program has to that asks for other checks)

    found: list[CheckMessage] = check_admin_app(app_configs)
    return found
