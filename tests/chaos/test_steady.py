from jobs.states import Status
from tests.support.arena import Arena

def test_x(arena: Arena) -> None:
    arena.dispatcher()
    arena.worker()
    job = arena.enqueue("testing.work", seconds=0.2)
    job = arena.wait_for_status(job.pk, Status.COMPLETED, seconds=10)
    assert job.result
