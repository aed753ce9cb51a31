from scheduling.models.calendar import Calendar
from scheduling.models.firing import Firing
from scheduling.models.schedule import Schedule

__all__ = ["Calendar", "Firing", "Schedule"]
