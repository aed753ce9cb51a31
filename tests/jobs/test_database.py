"""Bounds on what the engine's own processes wait for."""

from __future__ import annotations

import pytest
from django.db import connections

from jobs.database import guard_connections


@pytest.mark.parametrize(
    ("before", "after"), [({}, ""), ({"options": "-c search_path=app"}, "-c search_path=app ")]
)
def test_bounds_are_added_to_the_options_that_are_there(
    before: dict[str, str], after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dict(before)
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", options)

    guard_connections(statement_seconds=30, lock_seconds=5)

    assert options["options"] == (
        f"{after}-c statement_timeout=30000 -c lock_timeout=5000"
        " -c idle_in_transaction_session_timeout=60000"
    )
