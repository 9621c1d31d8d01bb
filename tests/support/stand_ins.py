"""Programs that stand in for those of the system, in a folder that is put on the path.

They answer what the real ones answer: systemctl(1) of systemd 252, launchctl(1) of macOS 14.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# Each unit is a file of properties; what was asked is in ``calls``. ``start`` and ``stop`` are what the test
# has put there. A unit of the system needs root, which is there if a file ``root`` is.
SYSTEMCTL = """#!/bin/sh
here={folder}
echo "$*" >> "$here/calls"
[ -e "$here/hangs" ] && exec sleep 60
if [ -e "$here/away" ]; then
    echo "System has not been booted with systemd as init system (PID 1). Can't operate." >&2
    echo "Failed to connect to bus: Host is down" >&2
    exit 1
fi
scope=system
for word in "$@"; do case "$word" in
    --user) scope=user ;;
    --no-ask-password|--property=*) ;;
    *) [ -z "$verb" ] && verb=$word || name=$word ;;
esac; done
unit="$here/$scope/$name"
if [ "$verb" = daemon-reload ]; then
    [ -e "$here/$verb" ] && . "$here/$verb"
    exit 0
fi
if [ "$verb" = show ]; then
    [ -e "$unit" ] && cat "$unit" || echo "LoadState=not-found"
    exit 0
fi
if [ $scope = system ] && [ ! -e "$here/root" ]; then
    echo "Failed to $verb $name: Interactive authentication required." >&2
    echo "See system logs and 'systemctl status $name' for details." >&2
    exit 1
fi
if [ -e "$here/refuses" ]; then
    echo "Failed to $verb $name: Unit $name has a bad unit file setting." >&2
    exit 1
fi
[ -e "$here/$verb" ] && . "$here/$verb"
exit 0
"""

RUNNING = """LoadState=loaded
ActiveState=active
SubState=running
MainPID={pid}
UnitFileState=enabled
FragmentPath=/etc/systemd/system/ollama.service
DropInPaths=/etc/systemd/system/ollama.service.d/10-a.conf /etc/systemd/system/ollama.service.d/20-b.conf
ExecMainCode=0
ExecMainStatus=0
NRestarts=0
"""
STOPPED = """LoadState=loaded
ActiveState=inactive
SubState=dead
MainPID=0
UnitFileState=disabled
FragmentPath=/etc/systemd/system/ollama.service
DropInPaths=
ExecMainCode=1
ExecMainStatus=0
NRestarts=0
"""
CRASHING = """LoadState=loaded
ActiveState=activating
SubState=auto-restart
MainPID=0
UnitFileState=enabled
FragmentPath=/etc/systemd/system/ollama.service
DropInPaths=
ExecMainCode=1
ExecMainStatus=1
NRestarts=7
"""


class StandIns:
    """A folder of programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def program(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def systemctl(self) -> None:
        self.program("systemctl", SYSTEMCTL.format(folder=self.folder))

    def unit(self, name: str, properties: str, *, user: bool = False) -> None:
        path = self.folder / ("user" if user else "system") / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(properties)

    def file(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    @property
    def calls(self) -> list[str]:
        file = self.folder / "calls"
        return file.read_text().splitlines() if file.exists() else []

    def environ(self, **variables: str) -> Mapping[str, str]:
        """An environment whose path begins with these programs."""
        return {"PATH": f"{self.folder}:/usr/bin:/bin", "HOME": os.environ.get("HOME", "/"), **variables}
