from django.apps import AppConfig

from tests.support.saboteur import sabotage_as_told
from tests.testapp.stops import spoil_stop_as_told


class TestAppConfig(AppConfig):
    name = "tests.testapp"

    def ready(self) -> None:
        sabotage_as_told()
        spoil_stop_as_told()
