from django.urls import path

from webhooks.api.actions import EnableView, ReplayView, RotateView, TestView
from webhooks.api.deliveries import DeliveriesView, DeliveryView, RedeliverView
from webhooks.api.endpoints import EndpointsView, EndpointView
from webhooks.api.own_secret import OwnSecretView

urlpatterns = [
    path("webhook-deliveries", DeliveriesView.as_view()),
    path("webhook-deliveries/<str:delivery_id>", DeliveryView.as_view()),
    path("webhook-deliveries/<str:delivery_id>/redeliver", RedeliverView.as_view()),
    path("webhook-endpoints", EndpointsView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>", EndpointView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/enable", EnableView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/replay", ReplayView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/rotate-secret", RotateView.as_view()),
    path("webhook-endpoints/<str:endpoint_id>/test", TestView.as_view()),
    path("webhook-secret/rotate", OwnSecretView.as_view()),
]
