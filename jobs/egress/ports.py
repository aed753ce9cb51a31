"""Which ports a call may go to: those of the web, and high ones where no known service listens."""

from __future__ import annotations

_WEB = frozenset({80, 443})
_FIRST_UNPRIVILEGED = 1_024
_SERVICES = frozenset(
    {
        1433, 1521, 3306, 5432, 5433, 6432, 9042, 26257, 27017, 27018, 27019, 28015, 50000,
        6379, 6380, 11211, 26379,  # caches
        1883, 4222, 4369, 5671, 5672, 8883, 9092, 9093, 15672, 25672, 61616,  # brokers
        2181, 2379, 2380, 8300, 8301, 8500, 8600,  # directories of services
        2375, 2376, 2377, 4243, 6443, 10250, 10255,  # containers
        9200, 9300,  # search
        2049, 3260, 3389, 5900, 5901, 5985, 5986, 6000,  # files, desktops
    }
)  # fmt: skip


def may_be_called(port: int) -> bool:
    """Whether a web server may be there for all we know."""
    return port in _WEB or (port >= _FIRST_UNPRIVILEGED and port not in _SERVICES)
