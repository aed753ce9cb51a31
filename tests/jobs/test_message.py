"""The body of a message: read back as it was written, or refused."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.message import MAX_JOBS, FencedJob, MalformedMessage, decode, encode, shown

ONE, TWO = UUID(int=1), UUID(int=2)

fenced = st.builds(FencedJob, st.uuids(), st.integers(1, 2**63 - 1))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.uuids().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@given(st.lists(fenced, min_size=1, max_size=20))
def test_a_message_is_read_as_it_was_written(jobs: list[FencedJob]) -> None:
    assert decode(json.loads(json.dumps(encode(jobs)))) == jobs


@given(anything | st.lists(st.tuples(st.uuids().map(str), anything)))
def test_whatever_arrives_is_jobs_or_malformed(body: Any) -> None:
    try:
        jobs = decode(body)
    except MalformedMessage:
        return
    assert 0 < len(jobs) <= MAX_JOBS
    assert all(isinstance(job.id, UUID) and 0 < job.fence < 2**63 for job in jobs)


@pytest.mark.parametrize(
    "body",
    [
        None,
        5,
        "",
        [],
        {},
        [[]],
        [[str(ONE)]],
        [[str(ONE), 0]],
        [[str(ONE), -1]],
        [[str(ONE), True]],
        [[str(ONE), 1.0]],
        [[str(ONE), "1"]],
        [[str(ONE), 2**63]],
        [[str(ONE), 1, 1]],
        [["x", 1]],
        [[1, 1]],
        [[None, 1]],
        [[{}, 1]],
        [None],
        [[str(ONE), 1], 5],
        [[str(ONE), 1]] * (MAX_JOBS + 1),
    ],
)
def test_what_is_no_list_of_fenced_jobs_is_malformed(body: Any) -> None:
    with pytest.raises(MalformedMessage):
        decode(body)


def test_a_message_shows_its_first_job_and_how_many_follow() -> None:
    assert shown([FencedJob(ONE, 1)]) == f"({ONE})"
    assert shown([FencedJob(ONE, 1), FencedJob(TWO, 1)]) == f"({ONE} and 1 more)"
