"""Workflows with real workers, some of which are killed meanwhile.

`WORKFLOW_CHAIN` and `WORKFLOW_FAN` are how long and how wide they are; 1,000 and 10,000 are the
sizes that are promised, and take minutes.
"""

from __future__ import annotations

import os

import pytest

from jobs.models import Job
from jobs.operations import Actor
from jobs.options import JobOptions
from jobs.states import Status
from jobs.workflows import HandedIn, Step, behind, chain, hand_in, result
from jobs.workflows.acting import retry
from tests.support.arena import SLOTS, Arena
from tests.support.ledger import Ledger
from tests.support.programs import Program, kill_child
from tests.support.waiting import wait_for

LONG = int(os.environ.get("WORKFLOW_CHAIN", "100"))
WIDE = int(os.environ.get("WORKFLOW_FAN", "500"))
PATIENCE = 60 + (LONG + WIDE) / 5  # seconds, on a machine that does other things as well
SLOW = 1.5

pytestmark = pytest.mark.timeout(PATIENCE * 3)


def work(seconds: float = 0.0) -> Step:
    return Step(type_name="testing.work", payload={"seconds": seconds})


def echo(**payload: object) -> Step:
    return Step(type_name="diagnostics.echo", payload=payload)


def completed(made: HandedIn) -> int:
    return Job.objects.filter(workflow=made.workflow, status=Status.COMPLETED).count()


def wait_until_ended(made: HandedIn, *programs: Program) -> None:
    def ended() -> bool:
        for program in programs:
            program.keep_up()
        return not Job.objects.active().filter(workflow=made.workflow).exists()

    wait_for(ended, seconds=PATIENCE, what="every step has ended", every=0.25)


def all_of(made: HandedIn, **conditions: object) -> bool:
    return Job.objects.filter(workflow=made.workflow, **conditions).count() == len(made.jobs)


def test_a_long_chain_hands_a_number_from_step_to_step(arena_at_work: Arena) -> None:
    handing_on = {f"s{n}": echo(n=result(f"s{n - 1}.n")) for n in range(1, LONG)}
    steps = {"s0": echo(n=7), **handing_on}
    made = hand_in(arena_at_work.tenant, "chain", chain(steps))

    wait_until_ended(made)

    assert all_of(made, status=Status.COMPLETED, result={"n": 7}, attempt=1)


def test_g1_g3_a_fan_is_gathered_once_though_workers_are_killed(arena: Arena) -> None:
    """Killed: a child and a whole worker, each in the middle of a step."""
    arena.dispatcher()
    workers = arena.workers("worker-1", "worker-2")
    parts = {f"p{n}": work(SLOW if n % 50 == 0 else 0.0) for n in range(WIDE - 2)}
    fan = {"split": work(), **behind(parts, "split"), **behind({"join": work()}, *parts)}
    made = hand_in(arena.tenant, "fan", fan)

    wait_for(lambda: completed(made) > 20, seconds=PATIENCE, what="the fan is under way")
    running = wait_for(slow_step, seconds=PATIENCE, what="a slow step runs")
    killed = next(one for one in workers if running.worker.startswith(one.name))
    kill_child(killed.children()[0])
    done = completed(made)
    wait_for(lambda: completed(made) > done + 10, seconds=PATIENCE, what="the fan goes on")
    workers[0].kill()
    wait_until_ended(made, *workers)

    assert all_of(made, status=Status.COMPLETED)
    join = Job.objects.get(workflow=made.workflow, step="join")
    assert join.attempt == 1
    gathered = Job.objects.filter(pk__in=[made.jobs[name].pk for name in parts])
    assert not gathered.filter(completed_at__gt=join.started_at).exists()
    accepted = [job.pk for job in made.jobs.values()]
    Ledger(accepted=accepted, trace=arena.trace, faults=SLOTS + 1).check()


def slow_step() -> Job | None:
    return Job.objects.filter(status=Status.PROCESSING, payload__seconds=SLOW).first()


def test_a_failing_middle_step_ends_the_rest_of_the_chain_and_a_retry_goes_on_from_it(
    arena_at_work: Arena,
) -> None:
    middle = LONG // 2
    steps = {f"s{n}": work() for n in range(LONG)}
    steps[f"s{middle}"] = Step(
        type_name="diagnostics.fail", payload={"times": 1}, options=JobOptions(max_retries=0)
    )
    made = hand_in(arena_at_work.tenant, "chain", chain(steps))

    wait_until_ended(made)

    statuses = Job.objects.filter(workflow=made.workflow).order_by("seq")
    assert list(statuses.values_list("status", flat=True)) == (
        ["completed"] * middle + ["failed"] + ["cancelled"] * (LONG - middle - 1)
    )
    assert retry(made.workflow, Actor(name="user:eve")).changed == LONG - middle

    wait_until_ended(made)

    assert all_of(made, status=Status.COMPLETED)
    assert statuses.filter(run=1).count() == middle
    assert set(statuses.values_list("attempt", flat=True)) == {1, 2}
