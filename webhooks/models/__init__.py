from webhooks.models.delivery import Delivery, DeliveryAttempt
from webhooks.models.endpoint import Endpoint
from webhooks.models.event import Event
from webhooks.models.signing_secret import SigningSecret

__all__ = ["Delivery", "DeliveryAttempt", "Endpoint", "Event", "SigningSecret"]
