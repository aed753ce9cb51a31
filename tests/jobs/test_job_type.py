"""Declaring a kind of job: mistakes are refused where they are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jobs import Backoff, JobContext, backoff, job_type, registry
from jobs.exceptions import DeclarationError, UnknownJobType

pytestmark = pytest.mark.usefixtures("declaring")


def render(context: JobContext, *, report_id: int) -> dict[str, int]:
    """Renders a report.

    More of it.
    """
    return {"report": report_id}


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("render", {}, "form app.verb"),
        ("Reports.render", {}, "form app.verb"),
        ("reports.", {}, "form app.verb"),
        ("reports.render ", {}, "form app.verb"),
        ("reports.render\n", {}, "form app.verb"),
        ("", {}, "form app.verb"),
        ("reports.render", {"max_retries": -1}, "max_retries is 0 to 100"),
        ("reports.render", {"max_retries": 101}, "max_retries is 0 to 100"),
        ("reports.render", {"timeout": 0}, "timeout is 1 to 86,400"),
        ("reports.render", {"timeout": 86_401}, "timeout is 1 to 86,400"),
        ("reports.render", {"retry_backoff": -1}, "backoff is not negative"),
        ("reports.render", {"retry_backoff_max": -1}, "backoff is not negative"),
        ("reports.render", {"retry_jitter": 1.1}, "jitter is 0 to 1"),
        ("reports.render", {"retry_backoff": "slowly"}, "no backoff policy 'slowly': default, "),
    ],
)
def test_a_mistake_is_refused_and_nothing_registered(
    name: str, options: dict[str, Any], says: str
) -> None:
    with pytest.raises(DeclarationError, match=says):
        job_type(name, **options)(render)

    with pytest.raises(UnknownJobType):
        registry.get(name)


def test_several_mistakes_are_told_together() -> None:
    with pytest.raises(DeclarationError, match=r"app\.verb.*max_retries.*timeout"):
        job_type("x", max_retries=-1, timeout=0)(render)


def test_a_declared_type_is_known_by_its_name() -> None:
    declared = job_type("reports.render", queue="reports", timeout=60)(render)

    assert registry.get("reports.render") is declared
    assert declared in registry.all()
    assert "reports" in registry.queues()
    assert declared.description == "Renders a report."
    assert declared.function is render


def test_calling_a_type_calls_its_function() -> None:
    declared: Callable[..., Any] = job_type("reports.render")(render)

    assert declared(None, report_id=7) == {"report": 7}


def test_a_name_belongs_to_one_function() -> None:
    job_type("reports.render")(render)
    job_type("reports.render")(render)  # the same module imported again

    def another(context: JobContext) -> None: ...

    with pytest.raises(DeclarationError, match=r"declared twice: .*render and .*another"):
        job_type("reports.render")(another)
    assert registry.get("reports.render").function is render


def test_types_are_listed_by_name() -> None:
    job_type("zoo.feed")(render)
    job_type("ant.count")(render)

    names = [declared.name for declared in registry.all()]
    assert names == sorted(names)
    assert {"ant.count", "zoo.feed"} <= set(names)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, backoff.DEFAULT),
        ({"retry_backoff": "crawler"}, backoff.CRAWLER),
        ({"retry_backoff": "none"}, backoff.NONE),
        ({"retry_backoff": 5}, Backoff(base_seconds=5)),
        ({"retry_backoff": Backoff(base_seconds=1)}, Backoff(base_seconds=1)),
        (
            {"retry_backoff": 5, "retry_backoff_max": 50, "retry_jitter": 0},
            Backoff(base_seconds=5, max_seconds=50, jitter=0),
        ),
        (
            {"retry_backoff": "crawler", "retry_jitter": 0.5},
            Backoff(base_seconds=60, max_seconds=86_400, jitter=0.5),
        ),
    ],
)
def test_a_backoff_is_a_number_a_name_or_a_value_and_may_be_amended(
    options: dict[str, Any], expected: Backoff
) -> None:
    assert job_type("reports.render", **options)(render).backoff == expected


def test_the_defaults_are_those_published() -> None:
    declared = job_type("reports.render")(render)

    assert (declared.queue, declared.max_retries, declared.timeout_seconds) == ("default", 3, None)
    assert declared.autoretry_for == (Exception,)
    assert declared.dont_autoretry_for == ()
