"""What a limit or a pause is of, in the words of people and of the API."""

from __future__ import annotations

from typing import NamedTuple

from jobs.models import Job
from jobs.policies import buckets
from jobs.policies.buckets import Bucket


class Named(NamedTuple):
    words: str  # queue mail
    object: str  # queue:mail

    @property
    def first(self) -> str:
        """The words at the beginning of a sentence."""
        return self.words[0].upper() + self.words[1:]

    @property
    def is_shared(self) -> bool:
        """Whether jobs of all tenants count, whose number is not told."""
        return self.object.startswith(("queue:", "type:"))


def named(job: Job, bucket: Bucket) -> Named:
    """One of the job's own buckets. A tenant goes by its slug, a key without its tenant."""
    if bucket == buckets.of_queue(job.queue_id):
        kind, name = "queue", job.queue_id
    elif bucket == buckets.of_type(job.type):
        kind, name = "type", job.type
    elif bucket == buckets.of_tenant(job.tenant_id):
        kind, name = "tenant", job.tenant.slug
    else:
        kind, name = "key", job.limit_key
    return Named(words=f"{kind} {name}", object=f"{kind}:{name}")
