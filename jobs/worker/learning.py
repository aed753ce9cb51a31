"""What an attempt's outcome says about its limit key. The outcome stands already; what is learned
is a matter of politeness towards whoever the key stands for, and may be missed."""

from __future__ import annotations

import logging
from uuid import UUID

from jobs import registry
from jobs.exceptions import UnknownJobType
from jobs.policies import closing
from jobs.policies.circuit import Circuit
from jobs.worker.outcome import Completed, Failed, Limited, Outcome, RetryLater

logger = logging.getLogger(__name__)


def learn(job_id: UUID, type_name: str, outcome: Outcome) -> None:
    """Close a key that asked for it, and count for a circuit breaker. Without either it costs
    nothing. Never raises: the next job of the key learns the same."""
    try:
        _learn(job_id, type_name, outcome)
    except Exception:
        text = "job %s: its limit key learned nothing of its outcome"
        logger.exception(text, job_id, extra={"job_id": job_id})


def _learn(job_id: UUID, type_name: str, outcome: Outcome) -> None:
    if isinstance(outcome, Limited):
        closing.close(job_id, key=outcome.key, seconds=outcome.delay_seconds)
        return
    circuit = _circuit_of(type_name)
    if circuit is None:
        return
    if isinstance(outcome, Completed):
        closing.succeeded(job_id)
    elif isinstance(outcome, Failed | RetryLater):
        closing.failed(job_id, circuit)


def _circuit_of(type_name: str) -> Circuit | None:
    try:
        return registry.get(type_name).circuit
    except UnknownJobType:
        return None
