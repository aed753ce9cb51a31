"""Django's synchronous code under ASGI, in a fixed number of threads that stay.

By itself Django gives each request a new thread, and database connections belong to threads. So
each request would open a connection, a persistent one would be left behind open, and a burst of
requests would use up the server's connections. Here a request borrows one of a few threads with
its connection, and waits its turn while all are lent.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from asgiref.sync import ThreadSensitiveContext
from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope

LIVENESS = "/healthz"  # says that the process answers, also while every thread is lent


class SteadyThreads:
    """`size` requests at a time, each in a thread of its own; the others wait.

    A view that streams for minutes must not be counted in: let its path pass as LIVENESS does.
    """

    def __init__(self, application: ASGI3Application, *, size: int) -> None:
        self._application = application
        # The last one returned is lent first: a quiet process uses few connections.
        self._free: asyncio.LifoQueue[ThreadPoolExecutor] = asyncio.LifoQueue()
        for number in range(size):
            self._free.put_nowait(ThreadPoolExecutor(1, thread_name_prefix=f"request-{number}"))

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] != "http" or scope["path"] == LIVENESS:
            await self._application(scope, receive, send)
            return
        thread = await self._free.get()
        try:
            async with ThreadSensitiveContext(executor=thread):
                await self._application(scope, receive, send)
        finally:
            self._free.put_nowait(thread)
