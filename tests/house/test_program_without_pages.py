"""What a program that serves no pages does without."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from config.bootstrap import ROOT

_SHOW = "import json, sys; print(json.dumps(sorted(sys.modules)))"
_WORKER = """
import config.celery
config.celery.app.loader.import_default_modules()
"""
_DISPATCHER = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.core import checks
from jobs.management.commands.dispatch import Command
checks.run_checks(tags=Command.requires_system_checks)
"""
_CHECKED = """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core import checks
page = type("Page", (admin.ModelAdmin,), {"list_display": ["nothing"]})
admin.autodiscover = lambda: admin.site.register(Permission, page)
print([error.id for error in checks.run_checks(tags=["admin"])])
"""
_PAGES = (
    "config.urls", "unfold.admin", "accounts.admin", "jobs.admin", "scheduling.admin",
    "webhooks.admin",
)  # fmt: skip


def _output(code: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True,
        timeout=120,
    )  # fmt: skip
    return ended.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("program", "part"),
    [(_WORKER, "jobs.worker.task"), (_DISPATCHER, "jobs.dispatcher.loop")],
    ids=["worker", "dispatcher"],
)
def test_it_loads_neither_pages_nor_routes(program: str, part: str) -> None:
    """They are a sixth of what a worker would take."""
    loaded = json.loads(_output(program + _SHOW))
    assert part in loaded
    assert [name for name in loaded if name.startswith(_PAGES)] == []


def test_mistakes_in_pages_are_found_all_the_same() -> None:
    assert "admin.E108" in _output(_CHECKED)
