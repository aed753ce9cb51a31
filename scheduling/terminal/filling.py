"""What a backfill did, or would do, in words and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from accounts.api.moment import shown
from jobs.terminal.words import clock
from scheduling.backfilling import Filled
from scheduling.terminal.tables import line


def filled_documents(filled: Sequence[Filled]) -> list[dict[str, Any]]:
    return [_document(one) for one in filled]


def filled_lines(filled: Sequence[Filled]) -> Iterator[str]:
    """`2026-01-31 02:00:00  fired  01a2…`, a line each."""
    for one in filled_documents(filled):
        rest = one["job_id"] or one["reason"] or ""
        yield line(f"{clock(one['moment'])}  {one['outcome']:<9} {rest}").rstrip()


def _document(one: Filled) -> dict[str, Any]:
    outcome = one.outcome
    job_id = one.job_id or (outcome and outcome.job_id)
    return {
        "moment": shown(one.moment),
        "outcome": _word(one),
        "reason": (outcome and outcome.reason) or None,
        "job_id": job_id and str(job_id),
    }


def _word(one: Filled) -> str:
    if one.ran_before:
        return "ran"
    return str(one.outcome.decision) if one.outcome else "to run"
