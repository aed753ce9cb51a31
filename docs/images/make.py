"""Takes the pictures of the documents anew, by hand, after the pages have changed:

    .venv/bin/python -m docs.images.make [NAME …]

All of them, or those that are named. It starts a whole Celeriac on private servers, lets it work
for a minute (on jobs of the app `docs.images.shop`), and opens each page in the machine's own
Chromium. Needs the development requirements.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import django


def main() -> None:
    home = Path(tempfile.mkdtemp(prefix="celeriac-images-"))
    os.environ.update(
        CELERIAC_HOME=str(home),
        CELERIAC_APPS="docs.images.shop",
        DJANGO_SETTINGS_MODULE="config.settings",
        DJANGO_ALLOW_ASYNC_UNSAFE="true",  # beside Playwright's event loop
        RATE_LIMIT_ENABLED="0",
        SECRET_KEY="a key for pictures only, long enough to be legal",  # noqa: S106 (no secret)
    )
    django.setup()
    from docs.images.pictures import take  # its imports need Django's settings

    try:
        take(home, only=sys.argv[1:])
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
