"""The shell examples against a real Celeriac: each ends well, and says what it did."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from config.bootstrap import ROOT
from tests.browser.site import Site
from tests.examples.stack import token_of

SCRIPTS = ROOT / "docs" / "examples" / "shell"
# What each prints at its end; those that need a platform admin's token are marked.
SAYS = {
    "batch.sh": '"completed": 3',
    "create-and-wait.sh": 'result: {"hello": "world"}',
    "dead-letters.sh": "run again: 1",
    "pause-queue.sh": "why it waits: paused",
    "schedule.sh": "fired",
    "tokens.sh": "taken back",
    "upload.sh": "removed",
    "watch.sh": "ended: completed",
    "workflow.sh": 'greeted: {"whom": "Ann"}',
}
OF_A_PLATFORM_ADMIN = {"pause-queue.sh"}


def run(script: str | Path, url: str, token: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CELERIAC_URL": url, "CELERIAC_TOKEN": token}
    return subprocess.run(
        ["bash", str(SCRIPTS / script)],
        env=environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip


def test_every_script_is_tried_here() -> None:
    assert {path.name for path in SCRIPTS.glob("*.sh")} == {*SAYS, "lib.sh"}


@pytest.mark.parametrize("script", SAYS)
def test_it_ends_well(script: str, site: Site) -> None:
    token = token_of(None if script in OF_A_PLATFORM_ADMIN else site.arena.tenant)
    done = run(script, site.url, token)
    assert done.returncode == 0, done.stderr
    assert SAYS[script] in done.stdout


@pytest.mark.parametrize("script", SAYS)
def test_it_fails_where_it_may_not_and_shows_no_token(script: str, site: Site) -> None:
    done = run(script, site.url, "a-token-of-nobody")
    assert done.returncode != 0
    assert "401" in done.stderr or "Unauthorized" in done.stdout + done.stderr
    assert "a-token-of-nobody" not in done.stdout + done.stderr
