import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand
from packaging.requirements import Requirement

from config.bootstrap import ROOT


@dataclass(frozen=True, kw_only=True)
class Check:
    """One tool: what this Python is called with, from the top of the repository."""

    name: str
    arguments: tuple[str, ...]


_LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"
CHECKS = (
    Check(name="lint", arguments=("-m", "ruff", "check", ".")),
    Check(name="format", arguments=("-m", "ruff", "format", "--check", ".")),
    Check(name="types", arguments=("-m", "mypy", ".")),
    Check(name="import directions", arguments=("-c", _LINT_IMPORTS, "--no-cache")),
    Check(name="migrations", arguments=("-m", "django", "makemigrations", "--check", "--dry-run")),
    Check(name="Django", arguments=("-m", "django", "check", "--fail-level", "WARNING")),
)
LAYERS = ("base", "jobs", "servers", "dev")


class Command(BaseCommand):
    help = (
        "Checks the code without running it: lint, format, types, import directions, migrations, "
        "Django's own checks, lock files. Says what failed, and exits with status 1 then."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        failed = [check.name for check in CHECKS if not self._passes(check)]
        stale = [problem for layer in LAYERS for problem in unmet(layer)]
        self._report("lock files", "\n".join(stale))
        if stale:
            failed.append("lock files")
        if failed:
            self.stderr.write(f"Failed: {', '.join(failed)}.")
            sys.exit(1)
        self.stdout.write("All checks passed.")

    def _passes(self, check: Check) -> bool:
        result = subprocess.run(
            [sys.executable, *check.arguments],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self._report(check.name, result.stdout if result.returncode else "")
        return result.returncode == 0

    def _report(self, name: str, complaint: str) -> None:
        self.stdout.write(f"{'FAIL' if complaint else 'ok  '}  {name}")
        if complaint:
            self.stdout.write(complaint)
        self.stdout.flush()


def unmet(layer: str) -> list[str]:
    """What a layer's input asks for and its lock file does not give; needs no network."""
    folder = ROOT / "requirements"
    pins = dict(_pin(line) for line in _requirements((folder / f"{layer}.txt").read_text()))
    asked = [Requirement(line) for line in _requirements((folder / f"{layer}.in").read_text())]
    return [
        f"requirements/{layer}.in asks for {requirement}, the lock file has "
        f"{pins.get(_normal(requirement.name), 'nothing')}: run requirements/lock.sh"
        for requirement in asked
        if not requirement.specifier.contains(pins.get(_normal(requirement.name), "0"))
    ]


def _requirements(text: str) -> list[str]:
    lines = [line.partition(" #")[0].removesuffix("\\").strip() for line in text.splitlines()]
    return [line for line in lines if line and line[0].isalnum()]


def _pin(line: str) -> tuple[str, str]:
    requirement = Requirement(line)
    return _normal(requirement.name), next(iter(requirement.specifier)).version


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
