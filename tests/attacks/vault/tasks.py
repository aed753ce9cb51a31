"""A job type that is entrusted with secrets, and careless with them."""

from __future__ import annotations

import hashlib
import logging

from pydantic import BaseModel

from jobs import JobContext, job_type
from jobs.secret import Secret

logger = logging.getLogger(__name__)


class Inner(BaseModel):
    token: Secret[str]


@job_type("attacks.vault", retry_backoff="none", max_retries=1)
def vault(
    context: JobContext,
    *,
    password: Secret[str],
    keys: list[Secret[str]],
    inner: Inner,
    note: str,
    then: str = "",
) -> dict[str, str]:
    """Log what it got, put it into its lines and its exception, and prove that it had it."""
    logger.info("%s: got %r %s %r", note, password, keys, inner)
    text = password.reveal()
    context.log(f"{note}: {text} {keys[0].reveal()} {inner.token.reveal()}")
    context.progress(50, f"{note} {text} {keys[0].reveal()} {inner.token.reveal()}")
    if then == "fail":
        raise ValueError(f"{note}: the password {text} was refused", {"sent": text})
    both = "".join([text, keys[0].reveal(), inner.token.reveal()])
    return {"sha256": hashlib.sha256(both.encode()).hexdigest(), "note": note}
