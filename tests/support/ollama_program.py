"""A machine with a program ``ollama`` on its path, and maybe a unit of systemd for it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from llmstack_tui.base.paths import user_units_folder
from tests.support.stand_ins import RUNNING, STOPPED, StandIns
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from pathlib import Path

# It logs what it runs with as a real one does, and ends at an address that is not there.
PROGRAM = """#!{python}
import datetime, http.server, json, os, pathlib, sys
assert sys.argv[1:] == ["serve"], sys.argv
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"version": "0.33.0", "models": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
host, _, port = os.environ["OLLAMA_HOST"].rpartition(":")
try:
    server = http.server.HTTPServer((host, int(port)), Handler)
except OSError as error:
    sys.exit(f"Error: listen tcp {{host}}:{{port}}: {{error.strerror}}")
pathlib.Path({pid!r}).write_text(str(os.getpid()))
server.serve_forever()
"""
UNIT = "ollama.service"


class OllamaMachine:
    """A home with ``ollama`` in its path.

    Attributes:
        address: where it listens unless something else is set.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.programs = StandIns(home / "bin")
        self.pid_file = home / "pid"
        self.ollama = self.programs.program(
            "ollama", PROGRAM.format(python=sys.executable, pid=str(self.pid_file))
        )
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.address = f"127.0.0.1:{taken.getsockname()[1]}"
        self.environ = self.programs.environ(OLLAMA_HOST=self.address, HOME=str(home))
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text() or "0") if self.pid_file.exists() else 0

    @property
    def variables(self) -> dict[str, str]:
        """Those of the running server."""
        found = psutil.Process(self.pid).environ()
        return {name: value for name, value in found.items() if name.startswith("OLLAMA_")}

    def start(self, **variables: str) -> None:
        """Somebody else starts it."""
        process = subprocess.Popen([str(self.ollama), "serve"], env={**self.environ, **variables})
        self._started.append(process)
        wait_until_sync(lambda: self.pid == process.pid)

    def has_unit(self, *, user: bool) -> Path:
        """It is a unit of systemd, which has to be started; returns the folder of drop-ins."""
        folder = user_units_folder(self.environ) if user else self.home / "etc/systemd/system"
        folder.mkdir(parents=True)
        (folder / UNIT).write_text("[Service]\nExecStart=ollama serve\nEnvironment=OLLAMA_KEEP_ALIVE=2m\n")
        scope = "user" if user else "system"
        shown, files = f"{self.programs.folder}/{scope}/{UNIT}", f"{folder}/{UNIT} {folder}/{UNIT}.d/*.conf"
        begin = (
            f"vars=$(sed -n -e 's/^Environment=//' -e 's/^\"\\(OLLAMA_.*\\)\"$/\\1/' -e '/^OLLAMA_/p' {files}"
            " 2>/dev/null)\n"
            f"env OLLAMA_HOST={self.address} $vars setsid {self.ollama} serve"
            f" </dev/null >/dev/null 2>{self.home}/log & pid=$!"
        )
        self.programs.systemctl()
        self.programs.unit(UNIT, STOPPED, user=user)
        self.programs.file("root" if not user else "of-user")
        self.programs.file("start", f"{begin}\ncat > {shown} <<END\n{RUNNING.format(pid='$pid')}END\n")
        self.programs.file("stop", f"kill $(cat {self.pid_file}); cat > {shown} <<'END'\n{STOPPED}END\n")
        here = self.programs.folder
        self.programs.file("restart", f". {here}/stop\n. {here}/start\n")
        return folder / f"{UNIT}.d"

    def end(self) -> None:
        if self.pid and psutil.pid_exists(self.pid):
            os.kill(self.pid, signal.SIGKILL)
        for process in self._started:
            process.wait()
