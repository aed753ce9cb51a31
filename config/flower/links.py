"""From Flower's pages to Celeriac's."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_JOB_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


@dataclass(frozen=True, kw_only=True)
class Links:
    """Addresses in the admin, as a browser reaches it."""

    public_url: str

    @property
    def admin(self) -> str:
        return f"{self.public_url.rstrip('/')}/admin/"

    def job(self, job_id: str) -> str:
        return f"{self.admin}jobs/job/{job_id}/change/"

    def for_templates(self) -> dict[str, Callable[..., Any]]:
        """What Tornado's templates may call; it puts the request's handler first."""
        return {
            "celeriac_admin": lambda handler: self.admin,
            "celeriac_job": lambda handler, job_id: self.job(job_id),
            "celeriac_job_ids": lambda handler, args: job_ids(args),
        }


def job_ids(args: object) -> list[str]:
    """The jobs that a message's arguments, as Flower shows them, name."""
    return list(dict.fromkeys(_JOB_ID.findall(str(args or ""))))
