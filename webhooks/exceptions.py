"""What can go wrong with webhooks. The docstring of each is its message."""

from __future__ import annotations

from jobs.exceptions import FieldErrors, TransitionRefused


class InvalidEndpoint(FieldErrors):
    """A field of the endpoint breaks a rule."""


class DeliveryFailed(Exception):
    """A delivery was given up; its row says why."""


class EndpointClosed(TransitionRefused):
    """The endpoint is disabled or deleted; nothing is sent to it."""
