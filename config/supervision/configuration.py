"""supervisord's settings, written from the programs.

Paths below CELERIAC_HOME come in through the environment: supervisord does not interpret what it
puts in from there, so any character may stand in them.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from config.supervision.programs import Program

# Groups start in this order and stop in the reverse one; each has stopped before the next is asked.
_GROUP_PRIORITY = {"servers": 1, "platform": 10}


def render_configuration(programs: Sequence[Program], *, socket: Path, as_root: bool) -> str:
    """The text of `supervisord.conf`: nothing starts by itself, what was started is kept up."""
    names = {group: [p.name for p in programs if p.group == group] for group in _GROUP_PRIORITY}
    sections = [
        _section(
            "supervisord",
            nodaemon="true",
            silent="true",
            logfile="%(ENV_CELERIAC_HOME)s/logs/supervisord.log",
            logfile_maxbytes="5MB",
            logfile_backups="2",
            pidfile="%(ENV_CELERIAC_HOME)s/run/supervisord.id",
            # Said outright, or it logs a critical warning about being root at each start.
            **({"user": "root"} if as_root else {}),
        ),
        _section("unix_http_server", file=_literal(str(socket)), chmod="0600"),
        _section(
            "rpcinterface:supervisor",
            **{
                "supervisor.rpcinterface_factory": (
                    "supervisor.rpcinterface:make_main_rpcinterface"
                )
            },
        ),
        _section("supervisorctl", serverurl=_literal(f"unix://{socket}")),
        *(_program(program) for program in programs),
        *(
            _section(f"group:{group}", programs=",".join(names[group]), priority=str(priority))
            for group, priority in _GROUP_PRIORITY.items()
            if names[group]
        ),
    ]
    return "\n".join(sections)


def _program(program: Program) -> str:
    python = _literal(shlex.quote(sys.executable))
    return _section(
        f"program:{program.name}",
        command=f"{python} -m config.supervision.launch {program.name}",
        autostart="false",
        # A worker that is asked to stay down ends with status 0, and with no other.
        autorestart="unexpected" if program.may_end else "true",
        exitcodes="0",
        startsecs="2",
        startretries="5",
        stopsignal=program.stop_signal,
        stopwaitsecs=str(program.stop_seconds),
        killasgroup="true",
        redirect_stderr="true",
        stdout_logfile=f"%(ENV_CELERIAC_HOME)s/logs/{program.name}.log",
        stdout_logfile_maxbytes="10MB",
        stdout_logfile_backups="3",
    )


def _section(title: str, **values: str) -> str:
    return "\n".join([f"[{title}]", *(f"{name}={value}" for name, value in values.items()), ""])


def _literal(text: str) -> str:
    return text.replace("%", "%%")
