"""A job of the demonstration on its way."""

from dataclasses import dataclass

from config.demo.api import JobJson
from config.demo.submissions import Submission

ENDED = frozenset({"completed", "failed", "cancelled"})


@dataclass(kw_only=True)
class Followed:
    """A job that was handed in, and what was last heard of it."""

    submission: Submission
    job: JobJson

    @property
    def has_ended(self) -> bool:
        return self.job["status"] in ENDED
