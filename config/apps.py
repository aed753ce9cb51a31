from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Make ours the current Celery application of every Django process, and know our checks.

        The application not in `config/__init__.py`, as is the custom: `config.bootstrap` runs
        before Celery is installed, and the supervised programs' launcher has no use for it.
        """
        from config import celery, cors, egress  # noqa: F401 - importing them is what counts
        from config import checks_of_pages as _pages  # noqa: F401 - as above
        from config.supervision import checks  # noqa: F401 - as above
