"""The only writer of `Job.status`: one function for each transition of `jobs.states`.

Each is one guarded UPDATE that counts the rows it won, committed together with what follows from
it: history, dependants, the domain signal. By who asks:

- `creation`: create (enqueue);
- `waiting`: settle, promote, expire, dispatch, withdraw (enqueue and the dispatcher);
- `leasing`: claim, renew, progress (the worker);
- `ending`: every way an attempt ends (the worker; rescue by the dispatcher);
- `editing`: replace (enqueue), edit (API);
- `following`: settle, and `counting`: the counters of batches;
- `operator`: cancel, boost, revive, force_queue, force_fail, discard (API and admin);
- `reblocking`: reblock (retry of a workflow).
"""

from jobs.lifecycle.creation import create
from jobs.lifecycle.editing import edit, replace
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
from jobs.lifecycle.operator import (
    behind,
    boost,
    boost_all,
    cancel,
    cancel_all,
    discard,
    discard_all,
    force_fail,
    force_fail_all,
    force_queue,
    force_queue_all,
    lock,
    revive,
    revive_all,
)
from jobs.lifecycle.reblocking import reblock
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
    "behind",
    "boost",
    "boost_all",
    "cancel",
    "cancel_all",
    "claim",
    "claimed_before",
    "complete",
    "confirm_cancel",
    "create",
    "discard",
    "discard_all",
    "dispatch",
    "edit",
    "expire",
    "fail",
    "force_fail",
    "force_fail_all",
    "force_queue",
    "force_queue_all",
    "lock",
    "lose",
    "progress",
    "promote",
    "promote_now",
    "reblock",
    "release",
    "renew",
    "replace",
    "rescue",
    "retry_later",
    "revive",
    "revive_all",
    "settle_ended",
    "snooze",
    "withdraw",
]
