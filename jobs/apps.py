from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        """Import the `tasks` module of every installed app: that is where job types live."""
        autodiscover_modules("tasks")
        post_migrate.connect(make_queues, sender=self)


def make_queues(**_: Any) -> None:
    """A row for every queue that a job type names, so that programs can ask for it. Those that
    only the platform's own types name are marked, so that none can."""
    from jobs import registry
    from jobs.job_type import DEFAULT_QUEUE
    from jobs.models import Queue

    names, internal = registry.queues() | {DEFAULT_QUEUE}, registry.internal_queues()
    Queue.objects.bulk_create((Queue(name=name) for name in names), ignore_conflicts=True)
    Queue.objects.filter(pk__in=internal, internal=False).update(internal=True)
    Queue.objects.exclude(pk__in=internal).filter(internal=True).update(internal=False)
