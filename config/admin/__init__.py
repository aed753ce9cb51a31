"""The first page of the admin, and what leads through it."""

from config.admin import celery_pages

__all__ = ["celery_pages"]
