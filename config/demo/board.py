"""The rows of the demonstration's jobs on the screen."""

from collections.abc import Sequence

from rich.table import Table

from config.demo.followed import Followed
from jobs.terminal import board as terminal


def board(followed: Sequence[Followed]) -> Table:
    """All jobs as a table whose bars move."""
    return terminal.board((one.submission.name, one.job) for one in followed)


def line(one: Followed) -> str:
    """One job as a line of plain text."""
    return terminal.line(one.submission.name, one.job)
