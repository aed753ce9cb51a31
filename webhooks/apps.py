from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    name = "webhooks"

    def ready(self) -> None:
        """Listen to the engine. Weak references are enough: these are functions of modules."""
        from jobs.dispatcher import chores
        from jobs.signals import happened, job_event
        from webhooks import giving_up, healing, housekeeping, outbox

        job_event.connect(outbox.on_job_event, dispatch_uid="webhooks.outbox")
        job_event.connect(giving_up.on_job_event, dispatch_uid="webhooks.giving_up")
        happened.connect(outbox.on_happened, dispatch_uid="webhooks.happened")
        for name, every, step in (
            ("webhooks", housekeeping.EVERY_SECONDS, housekeeping.Housekeeping().run),
            ("webhooks that were lost", healing.EVERY_SECONDS, healing.Healing().run),
            ("webhooks that were put off", healing.EVERY_SECONDS, healing.ask_again),
        ):
            chores.register(chores.Chore(name=name, every_seconds=every, step=step))
