from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Make ours the current Celery application of every Django process.

        Not in `config/__init__.py`, as is the custom: `config.bootstrap` runs before Celery is
        installed, and the supervised programs' launcher has no use for it.
        """
        from config import celery  # noqa: F401 - importing it is what counts
