"""What somebody should look at, on the first page of the admin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from config.vitals.alerts import Alert
from scheduling.admin.ways import page_link

MOST = 5


@dataclass(frozen=True, kw_only=True)
class AlertRow:
    kind: str
    detail: str
    url: str


def alert_rows(alerts: Sequence[Alert]) -> dict[str, Any]:
    return {
        "alerts": [
            AlertRow(kind=one.kind.value, detail=one.detail, url=page_link(one.object_id))
            for one in alerts[:MOST]
        ],
        "more_alerts": max(0, len(alerts) - MOST),
    }
