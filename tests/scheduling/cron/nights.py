"""Changes of the clocks in zones that do it each in their own way, and rules for such nights."""

from __future__ import annotations

# The zone, the instant of the change in UTC, and by how many minutes the clocks leapt.
NIGHTS = [
    ("Europe/Amsterdam", "2025-03-30T01:00", 60),
    ("Europe/Amsterdam", "2025-10-26T01:00", -60),
    ("Europe/Amsterdam", "2026-03-29T01:00", 60),
    ("Europe/Amsterdam", "2026-10-25T01:00", -60),
    ("Europe/Amsterdam", "2027-03-28T01:00", 60),
    ("Europe/Amsterdam", "2027-10-31T01:00", -60),
    ("America/New_York", "2025-03-09T07:00", 60),
    ("America/New_York", "2025-11-02T06:00", -60),
    ("America/New_York", "2026-03-08T07:00", 60),
    ("America/New_York", "2027-11-07T06:00", -60),
    ("Australia/Lord_Howe", "2025-04-05T15:00", -30),
    ("Australia/Lord_Howe", "2025-10-04T15:30", 30),
    ("Australia/Lord_Howe", "2026-04-04T15:00", -30),
    ("Africa/Casablanca", "2025-02-23T02:00", -60),  # Ramadan begins
    ("Africa/Casablanca", "2025-04-06T02:00", 60),  # and ends
    ("Africa/Casablanca", "2026-02-15T02:00", -60),
    ("Africa/Casablanca", "2026-03-22T02:00", 60),
    ("Asia/Beirut", "2025-03-29T22:00", 60),  # midnight is leapt over
    ("Asia/Beirut", "2025-10-25T21:00", -60),  # back from midnight to the day before
    ("Asia/Beirut", "2026-03-28T22:00", 60),
    ("Africa/Cairo", "2025-04-24T22:00", 60),
    ("Africa/Cairo", "2025-10-30T21:00", -60),
    ("America/Santiago", "2025-04-06T03:00", -60),
    ("America/Santiago", "2025-09-07T04:00", 60),
    ("America/Santiago", "2026-04-05T03:00", -60),
    ("America/Asuncion", "2024-03-24T03:00", -60),
    ("America/Asuncion", "2024-10-06T04:00", 60),  # the last change of all
    ("Pacific/Chatham", "2025-04-05T14:00", -60),  # at a quarter to four
    ("Pacific/Chatham", "2025-09-27T14:00", 60),
    ("Pacific/Apia", "2011-12-30T10:00", 1440),  # a day that never was
    ("Pacific/Kiritimati", "1994-12-31T10:00", 1440),
    ("America/Havana", "2025-03-09T05:00", 60),
    ("America/Havana", "2025-11-02T05:00", -60),  # midnight comes twice
    ("Antarctica/Troll", "2025-03-30T01:00", 120),
    ("Antarctica/Troll", "2025-10-26T01:00", -120),
    ("Europe/Dublin", "2025-03-30T01:00", 60),  # winter is what is saved there
    ("Europe/Dublin", "2025-10-26T01:00", -60),
    ("Asia/Kolkata", "2026-03-29T01:00", 0),
    ("Asia/Kathmandu", "2026-10-25T01:00", 0),
    ("UTC", "2026-03-29T01:00", 0),
    ("Etc/GMT+12", "2026-10-25T01:00", 0),
]
RULES = [
    "30 2 * * *",
    "0 0 * * *",
    "15 0,1,2,3 * * *",
    "0,30 23 * * *",
    "45 1-3 * * *",
    "0-59 2 * * *",
    "0-59/10 0-23 * * *",
    "0 * * * *",
    "*/15 * * * *",
    "* 2 * * *",
    "30 */2 * * *",
    "*/20 0-3 * * *",
    "0 3 * * 7",
    "5 0 28-31 * *",
    "30 1 L * *",
    "30 2 * * 0L",
    "15 2 * * SUN#5",
    "0 1 29 3,10 6",
]
POLICIES = ["once", "skip", "all"]
