"""Celery's programs, brought to log as everything else does."""

from __future__ import annotations

import logging
import sys
from typing import Any

from celery import Celery, signals
from celery.utils.log import get_multiprocessing_logger
from django.conf import settings

from config.logs.line import name_worker
from config.logs.printed import Printed


def log_as_everything_does(app: Celery) -> None:
    """Keep Celery from handlers of its own, and let worker lines say which worker they are of."""

    @signals.setup_logging.connect(weak=False)
    def adopt(**_: Any) -> None:
        # That somebody answers this signal is what keeps Celery off. What it would do besides:
        pool = get_multiprocessing_logger()
        if pool is not None:  # where children of the pool end by themselves
            pool.propagate = True
            pool.setLevel(logging.ERROR)

    @signals.worker_init.connect(weak=False)
    def name(sender: Any, **_: Any) -> None:
        name_worker(sender.hostname)
        if app.conf.worker_redirect_stdouts:
            sys.stdout = Printed(app.conf.worker_redirect_stdouts_level)
        sender.quiet = sender.quiet or settings.LOG_FORMAT == "json"  # its banner is no line
