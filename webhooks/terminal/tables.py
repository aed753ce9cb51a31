"""Endpoints and deliveries as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from jobs.terminal.words import clock, plain

_WHY = {"by_hand": "off", "gone": "off: answered 410", "failing": "off: failed for days"}
_STYLES = {"delivered": "green", "failed": "red", "pending": "cyan"}


def line(text: object) -> str:
    """A stranger's text in one line that no terminal obeys."""
    return plain(text).replace("\n", " ")


def state(endpoint: dict[str, Any]) -> Text:
    if not endpoint["enabled"]:
        return Text(_WHY[endpoint["disabled_because"]], "dim")
    if endpoint["failing_since"]:
        return Text(f"failing since {clock(endpoint['failing_since'])}", "yellow")
    return Text("on", "green")


def heard(endpoint: dict[str, Any]) -> str:
    """`job.failed, job.completed of crawl.page`, or `everything`."""
    events = ", ".join(endpoint["events"]) or "everything"
    of = [*endpoint["types"], *(f"queue {name}" for name in endpoint["queues"])]
    return f"{events} of {', '.join(of)}" if of else events


def endpoint_table(endpoints: Sequence[dict[str, Any]]) -> Table:
    """As they come. Ids are whole, to be copied; off a terminal nothing is cut."""
    table, tenants = _table("ID", "STATE", "URL", "HEARS", "PENDING"), _tenants(endpoints)
    if tenants:
        table.add_column("TENANT", no_wrap=True, overflow="ellipsis")
    for one in endpoints:
        cells = (one["id"], line(one["url"]), line(heard(one)), one["statistics"]["pending"])
        identity, *rest = (Text(str(cell)) for cell in cells)
        table.add_row(identity, state(one), *rest, *_tenant(one, tenants))
    return table


def delivery_table(deliveries: Sequence[dict[str, Any]]) -> Table:
    names = ("ID", "MADE (UTC)", "EVENT", "STATUS", "REQUESTS", "LAST ANSWER", "URL", "JOB")
    table, tenants = _table(*names), _tenants(deliveries)
    if tenants:
        table.add_column("TENANT", no_wrap=True, overflow="ellipsis")
    for one in deliveries:
        table.add_row(
            Text(one["id"]),
            Text(clock(one["created_at"])),
            Text(one["event"]),
            Text(one["status"], _STYLES[one["status"]]),
            Text(str(one["attempts"])),
            Text(_answer(one)),
            Text(line(one["url"])),
            Text(one["job_id"] or "–"),
            *_tenant(one, tenants),
        )
    return table


def _answer(delivery: dict[str, Any]) -> str:
    told = delivery["last_status_code"] or delivery["last_error"]
    return "–" if told is None else str(told)


def _tenants(documents: Sequence[dict[str, Any]]) -> bool:
    return len({one.get("tenant") for one in documents}) > 1


def _tenant(document: dict[str, Any], named: bool) -> list[Text]:
    return [Text(document["tenant"])] if named else []


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for name in names:
        whole = name in ("ID", "JOB") or "UTC" in name
        table.add_column(name, no_wrap=True, overflow="fold" if whole else "ellipsis")
    return table
