"""The page about states shows the transitions that the engine has, edge by edge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from jobs.models import AttemptOutcome
from jobs.states import TRANSITIONS, Status
from tests.jobs.making import SITUATIONS
from tests.jobs.test_transitions import KEEPS_FENCE, LEGAL, target

PAGE = (Path(settings.BASE_DIR) / "docs/reference/states.md").read_text()
CHART = re.search(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)

Edge = tuple[str, str, str]  # transition, from, to; "[*]" is the birth of a job

# Edges that a transition takes only where a dependency failed, at the crash limit, or to another
# start.
RARE: set[Edge] = {
    ("settle", "blocked", "scheduled"),
    ("settle", "blocked", "failed"),
    ("settle", "blocked", "cancelled"),
    ("lose", "processing", "failed"),
    ("rescue", "processing", "failed"),
    ("replace", "scheduled", "queued"),
    ("replace", "queued", "scheduled"),
    ("edit", "scheduled", "queued"),
    ("edit", "queued", "scheduled"),
}


def drawn() -> list[Edge]:
    assert CHART is not None
    edges = re.findall(r"^ +(\S+) --> (\S+) : (\w+)$", CHART[1], re.MULTILINE)
    return [(name, source, to) for source, to, name in edges]


def rows() -> dict[str, list[str]]:
    """The table's cells by the transition they tell of."""
    found = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    return {name: cells.split(" | ") for name, cells in found}


def test_the_chart_draws_every_edge_that_the_grid_proves_and_no_other() -> None:
    proven = {(name, SITUATIONS[s][0].value, target(name, s).value) for name, s in LEGAL}
    born = {("create", "[*]", status.value) for status in TRANSITIONS["create"].targets}

    assert set(drawn()) == proven | born | RARE
    assert len(drawn()) == len(set(drawn()))


@pytest.mark.parametrize("name", TRANSITIONS)
def test_the_chart_agrees_with_the_declaration(name: str) -> None:
    edges = [edge for edge in drawn() if edge[0] == name]

    assert {to for _, _, to in edges} == TRANSITIONS[name].targets
    assert {source for _, source, _ in edges} - {"[*]"} == TRANSITIONS[name].sources


def test_the_chart_knows_every_status() -> None:
    assert {to for _, _, to in drawn()} == set(Status)


def test_the_table_has_a_row_for_each_transition() -> None:
    assert set(rows()) == set(TRANSITIONS)
    assert all(len(cells) == 4 and all(cells) for cells in rows().values())


def test_the_table_tells_what_becomes_of_the_fence() -> None:
    told = {name: cells[2] for name, cells in rows().items()}

    assert told.pop("create") == "starts at 0"
    assert "same" in told["cancel"]
    assert "+1" in told["cancel"]
    assert {name for name, fence in told.items() if fence.startswith("same")} == KEEPS_FENCE
    assert all("+1" in fence for name, fence in told.items() if name not in KEEPS_FENCE)


def test_the_table_names_each_line_of_the_history() -> None:
    told = " ".join(cells[3] for cells in rows().values())

    assert set(re.findall(r"line `(\w+)`", told)) == set(AttemptOutcome.values)
