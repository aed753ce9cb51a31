"""Which of Celeriac's programs this process is, by how it was started."""

from collections.abc import Sequence
from pathlib import PurePath

_COMMANDS = {"dispatch": "dispatcher"}
_CELERY = frozenset({"worker", "beat", "flower"})


def service_of(argv: Sequence[str]) -> str:
    """`web`, `dispatcher`, `worker`, `beat`, `flower`, or the name of a command.

    `argv` is that of the process: `python -m PROGRAM` shows as the path of its `__main__.py`.
    """
    path = PurePath(argv[0]) if argv else PurePath("python")
    program = path.parent.name if path.name == "__main__.py" else path.stem
    words = [word for word in argv[1:] if not word.startswith("-")]
    match program:
        case "uvicorn":
            return "web"
        case "manage" if words:
            return _COMMANDS.get(words[0], words[0])
        case "celery":
            return next((word for word in words if word in _CELERY), program)
    return "python" if program in ("", "-c", "-m") else program
