"""The tenant and the queues of the engine's tests, and steps in a few letters."""

from __future__ import annotations

from tests.jobs.conftest import announced, declaring, other, queues, tenant

__all__ = ["announced", "declaring", "other", "queues", "tenant"]
