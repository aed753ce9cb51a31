"""A job type that says things, in every way in which job code can."""

import logging

import structlog

from jobs import JobContext, Secret, job_type

logger = logging.getLogger("talking")


@job_type("talking.speak", max_retries=0)
def speak(context: JobContext, *, text: str, password: Secret[str]) -> None:
    logger.info("said by logging", extra={"length": len(text)})
    structlog.get_logger("talking").info("said by structlog", length=len(text))
    print("said by print")  # noqa: T201 (that it becomes a line is what is tested)
    raise ValueError(f"spoken: {password.reveal()}")
