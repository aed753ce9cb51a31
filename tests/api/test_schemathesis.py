"""The published schema against a real web process, by generated requests of all kinds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.browser.site import Site
from tests.examples.stack import token_of, whole_site

PROGRAM = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "3")  # an operation
# `coverage` tries every bound of every field: some thousand requests, so by wish only.
PHASES = os.environ.get("SCHEMATHESIS_PHASES", "examples,fuzzing,stateful")


@pytest.fixture(scope="module")
def site(django_db_blocker: DjangoDbBlocker) -> Iterator[Site]:
    with whole_site(django_db_blocker) as site:
        yield site


@pytest.mark.timeout(900)
def test_no_generated_request_finds_the_schema_wrong(site: Site, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            PROGRAM, f"--config-file={CONFIG}", "run", f"{site.url}/api/v1/schema/",
            f"--header=Authorization: Bearer {token_of(None)}",
            "--checks=all", f"--max-examples={EXAMPLES}", f"--phases={PHASES}",
            "--generation-deterministic", "--continue-on-failure", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=840,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "No issues found" in done.stdout
