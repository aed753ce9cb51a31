"""Calls that are a platform admin's alone, by the shape of those in `test_apart`. Of a path the
queue is `default`, and `{pause}` the id of a pause of it."""

QUEUE_CALLS = [
    ("POST", "/queues", {"name": "slow", "max_concurrency": 1, "rate_limit": "100/m"}),
    ("PATCH", "/queues/default", {"max_concurrency": 1, "weight": 2}),
    ("POST", "/queues/default/pause", {"reason": "maintenance", "until": "2999-01-31T12:00:00Z"}),
    ("POST", "/queues/default/resume", None),
    ("POST", "/pauses", {"kind": "tenant", "target": "acme"}),
    ("DELETE", "/pauses/{pause}", None),
]


def routed(path: str) -> str:
    """As the routes and the published schema write it."""
    return path.replace("/queues/default", "/queues/{id}").replace("{pause}", "{id}")
