"""Words to the dispatcher over Redis: "work waits" and "a job of this type ran so long".

A nudge only shortens a wait: the dispatcher looks by itself each half second. So it is sent after
the commit, and dropped where Redis does not take it at once (`jobs.wire`).
"""

from __future__ import annotations

import json
from typing import Any

from jobs import wire

CHANNEL = "celeriac:dispatcher"


def work_waits(priority: int) -> None:
    """A job of this priority may have become ready."""
    _publish({"priority": priority})


def slot_freed(job_type: str, seconds: float) -> None:
    """An attempt ended: its slot is free, and its run time is a measurement for the window."""
    _publish({"type": job_type, "seconds": seconds})


def _publish(message: dict[str, Any]) -> None:
    wire.say(("PUBLISH", CHANNEL, json.dumps(message)))
