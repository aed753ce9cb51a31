#!/usr/bin/env python3
"""Celeriac's command line: Django's, in a virtual environment that it makes by itself."""

import os
import sys


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - an older Python can still read this far
        sys.exit("Celeriac needs Python 3.11 or newer. Try: python3.11 manage.py")
    from config.bootstrap import enter_environment

    enter_environment(sys.argv[1:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
