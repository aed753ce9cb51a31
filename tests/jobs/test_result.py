"""What a job's code returns is kept as JSON, or the job fails with a word on why not."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from pytest_django import Settings

from accounts.models import Tenant
from jobs.worker.outcome import Completed, Failed
from jobs.worker.returned import MAX_RESULT_BYTES, Large, kept
from tests.jobs import making


class Pages(BaseModel):
    numbers: list[int]


@pytest.mark.parametrize(
    ("returned", "stored"),
    [
        (None, None),
        (0, 0),
        ({"a": [1, 2.5, True, None]}, {"a": [1, 2.5, True, None]}),
        ((1, 2), [1, 2]),
        (Pages(numbers=[1]), {"numbers": [1]}),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00Z"),
        ("\\u0000 and C:\\", "\\u0000 and C:\\"),
    ],
)
def test_a_result_is_kept_as_json(returned: Any, stored: Any, tenant: Tenant) -> None:
    outcome = kept(returned)

    assert outcome == Completed(result=stored)
    assert making.complete(making.queued(tenant), stored).result == stored


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (object(), "result_not_json"),
        ({"x": math.nan}, "result_not_json"),
        ([math.inf], "result_not_json"),
        ("a\x00b", "result_not_json"),
        ({"\x00": 1}, "result_not_json"),
        ("\ud800", "result_not_json"),
    ],
)
def test_a_result_that_cannot_be_kept_fails_the_job(returned: Any, kind: str) -> None:
    outcome = kept(returned)

    assert isinstance(outcome, Failed)
    assert outcome.error["type"] == kind


@pytest.mark.parametrize("returned", ["x" * MAX_RESULT_BYTES, "é" * (MAX_RESULT_BYTES // 2)])
def test_a_result_that_the_row_does_not_take_is_for_the_storage_up_to_a_bound(
    returned: str, settings: Settings
) -> None:
    text = f'"{returned}"'.encode()
    settings.RESULT_MAX_BYTES = len(text)
    assert kept(returned) == Large(text=text)

    settings.RESULT_MAX_BYTES = len(text) - 1
    outcome = kept(returned)
    assert isinstance(outcome, Failed)
    assert outcome.error["type"] == "result_too_large"
    assert isinstance(kept(returned[:-3]), Completed)


def test_a_result_that_holds_itself_fails_the_job() -> None:
    loop: list[Any] = []
    loop.append(loop)

    assert isinstance(kept(loop), Failed)
