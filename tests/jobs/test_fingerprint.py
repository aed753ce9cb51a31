"""Which failures share a fingerprint, and that every way to `failed` writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Tenant
from jobs import lifecycle
from jobs.control import TimedOut
from jobs.fingerprint import FRAMES, fingerprint, frames_of, normalised
from jobs.message import FencedJob
from jobs.models import Dependency, Job, OnFailure
from jobs.worker.outcome import described
from tests.jobs import making
from tests.jobs.making import ERROR, fresh, let_pass

HERE = __name__


def raised(code: Callable[[], object]) -> dict[str, Any]:
    """The error as a worker keeps it."""
    try:
        code()
    except BaseException as error:  # noqa: BLE001
        return described(error)
    raise AssertionError("nothing was raised")


def reading() -> None:
    raise OSError("no such file")


def reading_a_page(number: int) -> None:
    raise OSError(f"page {number}")


def calling(times: int) -> None:
    if times:
        calling(times - 1)
    reading()


def catching() -> None:
    try:
        reading()
    except OSError:
        raise ValueError("unreadable") from None


def test_the_same_place_is_one_kind_whatever_the_message_says() -> None:
    one, other = (raised(lambda n=n: reading_a_page(n)) for n in (1, 2))  # type: ignore[misc]  # a default in a lambda
    assert one["message"] != other["message"]
    assert fingerprint("a.b", one) == fingerprint("a.b", other)


def test_another_place_another_error_or_another_type_is_another_kind() -> None:
    kinds = [
        fingerprint("a.b", raised(reading)),
        fingerprint("a.c", raised(reading)),
        fingerprint("a.b", raised(catching)),
        fingerprint("a.b", raised(lambda: reading_a_page(1))),
    ]
    assert len(set(kinds)) == len(kinds)
    assert all(len(one) == 32 and set(one) <= set("0123456789abcdef") for one in kinds)


def test_a_frame_is_a_module_and_a_function_without_line_and_path() -> None:
    frames = raised(catching)["frames"]
    assert frames == [f"{HERE}.raised", f"{HERE}.catching"]


def test_only_the_innermost_functions_count_and_a_recursion_is_one() -> None:
    assert raised(lambda: calling(3))["frames"][-2:] == [f"{HERE}.calling", f"{HERE}.reading"]
    shallow, deep = (raised(lambda n=n: calling(n)) for n in (5, 50))  # type: ignore[misc]  # as above
    assert fingerprint("t", shallow) == fingerprint("t", deep)


def _nested(depth: int) -> Callable[[], object]:
    code: Callable[[], object] = reading
    for number in range(depth):
        space: dict[str, Any] = {"inner": code, "__name__": "made"}
        exec(f"def step{number}(): inner()", space)
        code = space[f"step{number}"]
    return code


def test_no_more_frames_are_kept_than_say_something() -> None:
    frames = raised(_nested(30))["frames"]
    assert len(frames) == FRAMES
    assert frames[-2:] == ["made.step0", f"{HERE}.reading"]


def test_frames_of_no_traceback_are_none() -> None:
    assert frames_of(None) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("row 17 of 300", "row 4 of 9"),
        ("took 1.5 s", "took 12.25 s"),
        ("no user 'ada'", "no user 'bob the builder'"),
        ('no user "ada"', 'no user "bob"'),
        ("no user “ada”", "no user “bob”"),
        (
            "job 0199a1c0-5e1f-7000-8000-000000000001 is gone",
            "job 0199A1C0-5E1F-7000-8000-0000000000FF is gone",
        ),
        ("<Thing at 0x7f001122>", "<Thing at 0x55aa>"),
        ("commit deadbeef01 is bad", "commit 0123456789abcdef is bad"),
        ("late   by\n3 days", "late by 4 days"),
    ],
)
def test_what_differs_from_job_to_job_is_taken_out_of_a_message(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the host is away", "the disk is full"),
        ("it's the host", "it's the disk"),  # an apostrophe is no quotation mark
        ("feedback missing", "payload missing"),
    ],
)
def test_words_are_kept(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


def test_a_very_long_message_is_cut() -> None:
    assert len(normalised("ab " * 100_000)) <= 500


def test_where_a_timeout_came_upon_the_job_does_not_matter() -> None:
    def slow() -> None:
        raise TimedOut

    ended = {"type": "TimedOut", "message": "ended from outside", "details": {}}
    assert fingerprint("t", raised(slow)) == fingerprint("t", ended)


# --- every way to `failed` -------------------------------------------------------------------


def _fail(job: Job) -> None:
    lifecycle.fail(making.start(job), error=ERROR)


def _lose(job: Job) -> None:
    lifecycle.lose(making.start(job), crash_limit=1, error=ERROR)


def _rescue(job: Job) -> None:
    making.start(job)
    let_pass(job, "lease_expires_at")
    lifecycle.rescue(limit=10, crash_limit=1, error=ERROR)


def _force(job: Job) -> None:
    lifecycle.force_fail(job.pk, error=ERROR)


@pytest.mark.parametrize("end", [_fail, _lose, _rescue, _force])
def test_every_way_to_failed_writes_the_fingerprint(
    end: Callable[[Job], None], tenant: Tenant
) -> None:
    job = making.queued(tenant)
    end(job)
    assert fresh(job).fingerprint == fingerprint(job.type, ERROR)


def test_a_job_that_failed_with_its_dependency_has_one_too(tenant: Tenant) -> None:
    first = making.queued(tenant)
    job = making.blocked(tenant, first)
    Dependency.objects.filter(job=job).update(on_failure=OnFailure.FAIL)
    _fail(first)
    after = fresh(job)
    assert after.error is not None
    assert after.fingerprint == fingerprint(job.type, after.error)


@pytest.mark.parametrize(
    "end",
    [
        lambda held: lifecycle.retry_later(held, delay_seconds=1, error=ERROR),
        lambda held: lifecycle.lose(held, crash_limit=5, error=ERROR),
        lambda held: lifecycle.complete(held, result=1),
    ],
)
def test_no_other_end_of_an_attempt_does(
    end: Callable[[FencedJob], object], tenant: Tenant
) -> None:
    job = making.queued(tenant)
    end(making.start(job))
    assert fresh(job).fingerprint == ""


@pytest.mark.parametrize("end", ["fail", "force_fail"])
def test_a_job_that_was_asked_to_cancel_is_no_failure(end: str, tenant: Tenant) -> None:
    job = making.in_situation(tenant, "asked to cancel")
    if end == "fail":
        lifecycle.fail(making.held(job), error=ERROR)
    else:
        lifecycle.force_fail(job.pk, error=ERROR)
    assert (fresh(job).status, fresh(job).fingerprint) == ("cancelled", "")


def test_a_job_that_runs_again_has_none(tenant: Tenant) -> None:
    job = making.queued(tenant)
    _fail(job)
    lifecycle.revive(job.pk)
    assert fresh(job).fingerprint == ""
