from django.urls import path

from config.api.health import HealthView

urlpatterns = [path("health", HealthView.as_view())]
