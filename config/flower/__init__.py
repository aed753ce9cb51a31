"""Flower as Celeriac runs it: nothing without a login, bounded, linked with the admin."""
