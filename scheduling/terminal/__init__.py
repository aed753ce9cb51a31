"""Schedules in a terminal."""
