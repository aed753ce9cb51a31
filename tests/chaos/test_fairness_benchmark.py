"""The benchmark of the documentation, in short: it measures, draws, and ends by itself."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from config.bootstrap import ROOT

FLOOD, SECONDS = 8000, 15  # so that a moment in which the machine does nothing decides nothing
_DOT = "{http://www.w3.org/2000/svg}circle"


@pytest.mark.timeout(400)
def test_g10_a_flood_keeps_its_own_tenant_waiting_and_hardly_the_others(tmp_path: Path) -> None:
    picture = tmp_path / "fairness.svg"
    arguments = [f"--flood={FLOOD}", f"--seconds={SECONDS}", f"--picture={picture}", "--json"]

    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fairness", *arguments],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert figures["others"]["number"] == 10 * SECONDS
    assert figures["flooding"]["number"] > 50, "the flood hardly flowed"
    assert figures["others"]["p95"] < figures["flooding"]["p50"]
    assert len(list(ElementTree.parse(picture).iter(_DOT))) == 10 * SECONDS
