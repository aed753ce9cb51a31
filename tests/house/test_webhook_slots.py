"""How many webhooks at once: a setting that reaches the worker that sends them."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan
from pathlib import Path

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from config.supervision.programs import (
    PLATFORM,
    PlatformOptions,
    longest_stop,
    platform_programs,
)


@pytest.mark.parametrize(
    ("slots", "is_refused"), [(0, True), (1, False), (256, False), (257, True), (-1, True)]
)
def test_a_number_that_is_none_keeps_celeriac_from_starting(
    slots: int, is_refused: bool, settings: Settings
) -> None:
    settings.WEBHOOK_CONCURRENCY = slots
    found = [str(error.id) for error in run_checks(tags=["celeriac"]) if error.is_serious()]
    assert found == ["celeriac.E014"] * is_refused


@pytest.mark.parametrize(
    ("name", "good", "bad", "refusal"),
    [
        ("MAX_ATTEMPTS", (1, 50), (0, -1, 51), "celeriac.E015"),
        ("TIMEOUT_SECONDS", (0.1, 30.0), (0.0, -1.0, 30.5, nan), "celeriac.E016"),
        ("BACKOFF_SECONDS", (0.0, 86_400.0), (-0.1, 86_401.0, inf, nan), "celeriac.E017"),
        ("DISABLE_AFTER_SECONDS", (1.0, 1e8), (0.0, -5.0, inf, nan), "celeriac.E018"),
    ],
)
def test_a_value_that_makes_no_sense_keeps_celeriac_from_starting(
    name: str, good: Sequence[float], bad: Sequence[float], refusal: str, settings: Settings
) -> None:
    for values, expected in ((good, []), (bad, [refusal])):
        for value in values:
            setattr(settings, f"WEBHOOK_{name}", value)
            found = [error for error in run_checks(tags=["celeriac"]) if error.is_serious()]
            assert [error.id for error in found] == expected, value
            assert all(error.hint for error in found)


def test_the_program_takes_webhooks_alone_and_in_so_many_threads() -> None:
    options = PlatformOptions(
        host="127.0.0.1", port=1, flower_port=2, flower_login="a:b", slots=2, webhook_slots=7,
        soft_stop_seconds=20.0, log_level="INFO", trusted_proxies=(),
    )  # fmt: skip
    programs = platform_programs(options, Path())
    [program] = [one for one in programs if one.name == "webhooks"]
    assert {
        "--queues=webhooks", "--pool=threads", "--concurrency=7", "--hostname=webhooks@%h",
        "--task-events",
    } <= set(program.order.argv)  # fmt: skip
    assert program.order.environment == {"REMAP_SIGTERM": "SIGQUIT"}
    assert program.group == PLATFORM
    assert longest_stop(programs) <= 26, "with the servers everything has stopped within 30 s"
