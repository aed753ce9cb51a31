"""The page of attacks names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "attacks.md"


def test_every_test_that_the_page_names_exists_and_every_numbered_one_stands_in_it() -> None:
    named = set(re.findall(r"`(tests/\S+\.py)`", PAGE.read_text()))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []
    numbered = {
        str(file.relative_to(ROOT))
        for folder in ("api", "attacks")
        for file in (ROOT / "tests" / folder).glob("test_*.py")
        if re.search(r"^def test_t\d+_", file.read_text(), flags=re.MULTILINE)
    }
    assert sorted(numbered - named) == []
