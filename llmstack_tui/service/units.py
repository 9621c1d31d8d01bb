"""Units of systemd and agents of launchd, as llmstack writes them to start a server at login.

What they look like: systemd.service(5) and launchd.plist(5).
"""

from __future__ import annotations

import plistlib
from typing import TYPE_CHECKING

from msgspec import Struct

from llmstack_tui.base.environment_files import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_UNIT = """\
# Written by llmstack: `llmstack service disable` keeps it from starting.
[Unit]
Description={description}
After=network.target

[Service]
ExecStart={command}
{environment}Restart=on-failure
RestartSec=3

[Install]
WantedBy=default.target
"""


class Autostart(Struct, frozen=True):
    """What is to be started at login.

    Attributes:
        argv: the command, with the whole path of its program.
        variables: what its environment must have.
        log: where launchd puts its output; systemd keeps that in the journal.
    """

    description: str
    argv: tuple[str, ...]
    variables: Mapping[str, str]
    log: Path


def unit_text(start: Autostart) -> str:
    lines = (f"Environment={quoted(f'{name}={value}')}\n" for name, value in start.variables.items())
    return _UNIT.format(
        description=start.description.replace("%", "%%"),
        command=" ".join(map(_argument, start.argv)),
        environment="".join(lines),
    )


def agent_text(label: str, start: Autostart) -> str:
    content = {
        "Label": label,
        "ProgramArguments": list(start.argv),
        "EnvironmentVariables": dict(start.variables),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "StandardOutPath": str(start.log),
        "StandardErrorPath": str(start.log),
    }
    return plistlib.dumps(content).decode()


def _argument(text: str) -> str:
    """A word of a command, in which ``$`` begins a variable, too."""
    return quoted(text).replace("$", "$$")
