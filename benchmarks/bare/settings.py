"""Celeriac's own settings, with the bare views beside its own."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare.urls"
