"""The kit's assertions find what was handed in, and list it where they fail."""

from __future__ import annotations

import pytest

from accounts.models import Tenant
from jobs.testing import assert_enqueued, assert_not_enqueued, enqueued
from workloads.diagnostics.job_types import echo, sleep

pytestmark = pytest.mark.usefixtures("celeriac_jobs")


def test_what_was_handed_in_is_found_by_a_part_of_its_payload() -> None:
    Tenant.objects.create(slug="acme")
    echo.enqueue(tenant="acme", to={"name": "eve", "at": "home"}, n=[1, 2], queue="default")

    assert_enqueued("diagnostics.echo")
    (job,) = assert_enqueued(echo, {"to": {"name": "eve"}}, tenant="acme", times=1, queue="default")
    assert job.payload["n"] == [1, 2]
    assert_not_enqueued(echo, {"n": [1]})
    assert_not_enqueued(echo, {"to": {"name": None}})
    assert_not_enqueued(echo, {"missing": None})
    assert_not_enqueued(echo, tenant="default")
    assert_not_enqueued(sleep)
    assert enqueued() == [job]


def test_a_failed_assertion_lists_what_was_handed_in() -> None:
    with pytest.raises(AssertionError, match="Nothing was handed in at all"):
        assert_enqueued(sleep)
    for number in range(25):
        echo.enqueue(tenant="default", number=number, text="x" * 500)

    with pytest.raises(AssertionError) as caught:
        assert_enqueued(sleep, {"seconds": 5}, tenant="default", queue="default")
    lines = str(caught.value).split("\n")
    assert lines[0] == (
        "There is no job diagnostics.sleep of default with {\"seconds\": 5}, queue 'default'."
    )
    assert lines[2].startswith('  diagnostics.echo of default (queued, queue default) {"')
    assert len(lines) == 23
    assert lines[-1] == "  …"
    assert max(map(len, lines)) < 300
    with pytest.raises(AssertionError, match=r"25, not 3 times job diagnostics\.echo"):
        assert_enqueued(echo, times=3)
    with pytest.raises(AssertionError, match=r"There is a job diagnostics\.echo with"):
        assert_not_enqueued(echo, {"number": 7})
