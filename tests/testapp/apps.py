from django.apps import AppConfig

from tests.support.saboteur import sabotage_as_told


class TestAppConfig(AppConfig):
    name = "tests.testapp"

    def ready(self) -> None:
        sabotage_as_told()
