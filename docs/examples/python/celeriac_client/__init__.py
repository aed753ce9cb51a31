"""A small client of Celeriac's REST API: jobs, batches, files, schedules, webhooks and live
events.

    client = Client("http://127.0.0.1:8000", token)
    job = client.create("notes.text", {"content": "..."}, priority="high")
    print(client.wait(job["id"])["result"])

It needs `requests` and nothing of Celeriac's own code: copy it into your program.
"""

from celeriac_client.client import Client
from celeriac_client.documents import (
    Batch,
    Error,
    Event,
    File,
    Job,
    JobOptions,
    NewBatch,
    NewJob,
    Schedule,
    ScheduleChanges,
    ScheduleOptions,
)
from celeriac_client.errors import ApiError, Conflict, Invalid, NotFound, Refused, TooMany, Waited
from celeriac_client.webhooks import (
    Delivery,
    Endpoint,
    EndpointChanges,
    EndpointOptions,
    NewEndpoint,
    NewSecret,
    WholeDelivery,
)

__all__ = [
    "ApiError",
    "Batch",
    "Client",
    "Conflict",
    "Delivery",
    "Endpoint",
    "EndpointChanges",
    "EndpointOptions",
    "Error",
    "Event",
    "File",
    "Invalid",
    "Job",
    "JobOptions",
    "NewBatch",
    "NewEndpoint",
    "NewJob",
    "NewSecret",
    "NotFound",
    "Refused",
    "Schedule",
    "ScheduleChanges",
    "ScheduleOptions",
    "TooMany",
    "Waited",
    "WholeDelivery",
]
