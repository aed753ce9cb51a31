import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A temporary directory that other users may pass through; pytest's own they may not."""
    directory = Path(tempfile.mkdtemp(prefix="celeriac-house-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)
