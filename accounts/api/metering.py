"""What a request costs, and what its answer tells of the rate limits.

A request counts before anything is done for it. One that carries an Idempotency-Key counts when
it proves to be the first with that key (`accounts.api.idempotency.once` says so), for a replay
costs nothing: until then it is only looked whether it could be counted. If it ends without either,
refused for its body say, it counts then. One that is sent away because the first still runs counts
with the other calls, so that it takes nothing from those that create.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto

from rest_framework.request import Request

from accounts.api.refusals import RateLimited
from accounts.rate_limits.limiting import limiter
from accounts.rate_limits.standing import Standing
from accounts.rate_limits.windows import Window

_ON_REQUEST = "_celeriac_meter"


class Part(Enum):
    """What of a request reaches the view: the web process asks before it reads a large body."""

    WHOLE = auto()
    QUESTION = auto()  # its answer decides whether the body is read; then the request counts
    COSTLY_QUESTION = auto()  # the same, but it counts itself: taking the body in costs most
    COUNTED = auto()  # the request whose costly question was counted


class Meter:
    """One request's. `windows` are those of its caller for its kind of call, `others` those for
    all calls that have no kind of their own."""

    def __init__(self, windows: Sequence[Window], others: Sequence[Window]) -> None:
        self._windows, self._others = windows, others
        self._is_put_off = False
        self._is_open = False  # put off, and neither counted nor forgone yet
        self._standing: Standing | None = None

    def count(self) -> None:
        """Raises RateLimited where a window is full."""
        self._is_open = False
        self._standing = limiter().hit(self._windows)
        self._refuse_full()

    def put_off(self, is_free: Callable[[], bool] = lambda: False) -> None:
        """Count later. Raises RateLimited where a window is full already, unless `is_free`."""
        self._is_put_off = self._is_open = True
        self._standing = limiter().look(self._windows)
        if not self._standing.allowed and not is_free():
            self._is_open = False
            self._refuse_full()

    def tell(self) -> None:
        """Only look."""
        self._standing = limiter().look(self._windows)

    def forgo(self) -> None:
        """This request costs nothing."""
        self._is_open = False

    def count_put_off(self) -> None:
        """Now it is known to cost something. What counted at once does not count again."""
        if self._is_put_off:
            self.count()

    def require_room_as_other(self) -> None:
        """Raises RateLimited where it could not be counted as another call; nothing is counted."""
        before, self._standing = self._standing, limiter().look(self._others)
        self._refuse_full()
        self._standing = before

    def count_as_other(self) -> None:
        """It was sent away, to come again."""
        self._is_open = False
        self._standing = limiter().hit(self._others)

    def close(self) -> None:
        """The answer is there: what was put off and not forgone counts now."""
        if self._is_open:
            self._is_open = False
            self._standing = limiter().hit(self._windows)

    @property
    def headers(self) -> Mapping[str, str]:
        found = self._standing
        if found is None:
            return {}
        return {
            "X-RateLimit-Limit": str(found.limit),
            "X-RateLimit-Remaining": str(found.remaining),
            "X-RateLimit-Reset": str(found.reset_seconds),
        }

    def _refuse_full(self) -> None:
        if self._standing and not self._standing.allowed:
            raise RateLimited(wait=max(1, self._standing.reset_seconds))


def attach(meter: Meter, request: Request) -> None:
    setattr(request, _ON_REQUEST, meter)


def meter_of(request: Request) -> Meter | None:
    """None where nobody counts: limits are off, or it is not known yet who asks."""
    meter: Meter | None = getattr(request, _ON_REQUEST, None)
    return meter
