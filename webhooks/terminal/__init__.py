"""Webhooks in a terminal."""
