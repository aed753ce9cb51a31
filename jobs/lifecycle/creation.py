"""The birth of jobs: one INSERT for one job or a thousand, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from django.db import transaction

from jobs.lifecycle.following import follow
from jobs.lifecycle.insertion import insert
from jobs.models import Job
from jobs.signals import job_moved

BATCH = 1000


def create(jobs: Sequence[Job]) -> None:
    """Insert jobs whose options, payload and first status are decided, in their order.

    Each then knows its `seq` and `created_at`. One batch that no app listens to is one statement
    and needs no BEGIN and COMMIT of its own. No savepoint ever: a failed INSERT is the caller's.
    """
    alone = len(jobs) <= BATCH and not job_moved.has_listeners(Job)
    with nullcontext() if alone else transaction.atomic(savepoint=False):
        for start in range(0, len(jobs), BATCH):
            follow(insert(jobs[start : start + BATCH]), "create")
