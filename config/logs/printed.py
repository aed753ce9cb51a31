"""What job code prints, as lines of the log."""

import io
import logging
import threading

logger = logging.getLogger("print")


class Printed(io.TextIOBase):
    """A standard output of a worker. A line is logged when it ends, each thread's by itself.

    Celery has the same, but makes a line of every part that `print` hands over.
    """

    def __init__(self, level: str) -> None:
        self._level = logging.getLevelName(level)
        self._begun = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, rest = (getattr(self._begun, "text", "") + text).split("\n")
        self._begun.text = rest
        for line in whole:
            if line.strip():
                logger.log(self._level, "%s", line)
        return len(text)
