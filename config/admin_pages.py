"""The admin's pages, known to its site as soon as this is imported: by the addresses of the web
process, that is, and by no program that serves none."""

from django.contrib import admin

admin.autodiscover()
