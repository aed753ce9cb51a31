"""Jobs that wait for a worker which knows their type, and there is none."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from jobs.dispatcher.selection import live_workers
from jobs.models import Job
from jobs.stats.whose import Whose

LOOK_AT = 1_000  # ready jobs of each queue: a look must cost the same beside a million of them


def unknown_types_of(whose: Whose, *, look_at: int = LOOK_AT) -> Mapping[str, Counter[str]]:
    """By queue, the types that no live worker of it knows, with how many jobs were seen waiting.

    Only queues that a worker consumes; of the others every job waits.
    """
    known: defaultdict[str, set[str]] = defaultdict(set)
    for worker in live_workers():
        for queue in worker.queues:
            known[queue] |= worker.types
    seen = {queue: _waiting(whose, queue, look_at) for queue in known}
    unknown = {
        queue: Counter({name: n for name, n in types.items() if name not in known[queue]})
        for queue, types in seen.items()
    }
    return {queue: types for queue, types in unknown.items() if types}


def _waiting(whose: Whose, queue: str, look_at: int) -> Counter[str]:
    ready = Job.objects.ready().filter(whose.condition, queue=queue)
    return Counter(ready.values_list("type", flat=True)[:look_at])
