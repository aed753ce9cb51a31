"""The only writer of `Job.status`: one function for each transition of `jobs.states`.

Each is one guarded UPDATE that counts the rows it won, committed together with what follows from
it: history, dependants, the domain signal. By who asks:

- `creation`: create (enqueue);
- `waiting`: settle, promote, expire, dispatch, withdraw (enqueue and the dispatcher);
- `leasing`: claim, renew, progress (the worker);
- `ending`: every way an attempt ends (the worker; rescue by the dispatcher);
- `operator`: cancel, boost, revive, force_queue, force_fail, discard (API and admin).
"""

from jobs.lifecycle.creation import create
from jobs.lifecycle.ending import (
    complete,
    confirm_cancel,
    fail,
    lose,
    release,
    rescue,
    retry_later,
    snooze,
)
from jobs.lifecycle.following import settle_ended
from jobs.lifecycle.leasing import ClaimedJob, Renewal, claim, claimed_before, progress, renew
from jobs.lifecycle.operator import boost, cancel, discard, force_fail, force_queue, revive
from jobs.lifecycle.statement import Move
from jobs.lifecycle.waiting import (
    Dispatched,
    dispatch,
    expire,
    promote,
    promote_now,
    withdraw,
)

__all__ = [
    "ClaimedJob",
    "Dispatched",
    "Move",
    "Renewal",
    "boost",
    "cancel",
    "claim",
    "claimed_before",
    "complete",
    "confirm_cancel",
    "create",
    "discard",
    "dispatch",
    "expire",
    "fail",
    "force_fail",
    "force_queue",
    "lose",
    "progress",
    "promote",
    "promote_now",
    "release",
    "renew",
    "rescue",
    "retry_later",
    "revive",
    "settle_ended",
    "snooze",
    "withdraw",
]
