"""When a child's signals raise. In a process of its own: the test runner has its own alarms."""

import subprocess
import sys

EARLY = """
import os, signal, time
import django; django.setup()
from jobs.control import TimedOut
from jobs.worker.gate import Gate
from jobs.worker.slots import Slots

gate = Gate(Slots(1).slot(0))
gate.install()
started = time.monotonic()
try:
    with gate.job_code(times_out_at=started + 1.5):
        os.kill(os.getpid(), signal.SIGUSR1)  # Celery's soft limit, one second early
        while time.monotonic() < started + 10:
            time.sleep(0.01)
except TimedOut:
    print(1.0 <= time.monotonic() - started < 5)
os.kill(os.getpid(), signal.SIGUSR1)  # outside of job code it has lost its point
print("alive", signal.getitimer(signal.ITIMER_REAL)[0])
"""


def test_a_soft_limit_that_comes_early_takes_effect_when_the_time_is_over() -> None:
    ran = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, check=False)

    assert ran.stdout.split() == ["True", "alive", "0.0"], ran.stderr
