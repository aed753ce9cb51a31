"""What the documents list is what the code has."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _settings_in_code() -> set[str]:
    tree = ast.parse((ROOT / "config" / "settings.py").read_text())
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_the_settings_table_lists_exactly_the_settings_that_are_read() -> None:
    table = (ROOT / "docs" / "reference" / "settings.md").read_text()
    assert (
        set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", table, flags=re.MULTILINE))
        == _settings_in_code()
    )


def test_every_relative_link_in_the_documents_leads_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_guarantee_has_tests_that_carry_its_number() -> None:
    page = (ROOT / "docs" / "reference" / "guarantees.md").read_text()
    clauses = re.findall(r"^- \*\*G(\d+) ", page, flags=re.MULTILINE)
    names = [
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)\(", file.read_text(), flags=re.MULTILINE)
    ]
    assert clauses
    for clause in clauses:
        assert any(f"_g{clause}_" in name for name in names), f"no test for G{clause}"


def test_the_quickstart_declares_job_types_that_would_be_accepted() -> None:
    """The Python blocks that declare a job type are run as they stand."""
    from jobs import registry

    text = (ROOT / "docs" / "quickstart.md").read_text()
    blocks = [
        code for code in re.findall(r"```python\n(.*?)```", text, re.S) if "@job_type" in code
    ]
    assert blocks
    before = {job_type.name for job_type in registry.all()}
    for code in blocks:
        exec(compile(code, "quickstart", "exec"), {"__name__": "quickstart"})
    declared = {job_type.name for job_type in registry.all()} - before
    try:
        assert declared
    finally:
        for name in declared:
            registry.forget(name)
