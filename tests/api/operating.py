"""Calls on a worker, which are a platform admin's alone; `test_worker_actions` holds that."""

WORKER_CALLS = [
    ("POST", f"/workers/{{id}}/{verb}") for verb in ("pause", "resume", "shutdown", "restart")
]
