"""The frame of the commands that run everything until somebody stops them."""

from collections.abc import Callable

from django.core.management.base import CommandError
from rich.console import Console

from config.embedded.exceptions import EmbeddedServerError
from config.supervision.exceptions import SupervisionError
from config.supervision.from_settings import stack_options
from config.supervision.interruption import StopRequested, stop_requests
from config.supervision.stack import Stack, running_stack
from config.supervision.summary import print_summary


def run_celeriac(console: Console, work: Callable[[Stack], None]) -> None:
    """Start everything, announce it, do `work`, and stop everything again.

    Being asked to stop, at any moment, is no error: what has been started is stopped in order.

    Raises:
        CommandError: it cannot run; the text says what to do.
    """
    options = stack_options()
    try:
        with stop_requests(), running_stack(options, console) as stack:
            print_summary(console, stack, options.home)
            work(stack)
    except StopRequested:
        pass
    except (SupervisionError, EmbeddedServerError) as error:
        raise CommandError(str(error)) from error
    console.print("Stopped.")
