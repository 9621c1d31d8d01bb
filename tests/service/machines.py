"""A machine with programs that stand in for Ollama and for what keeps it running."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import psutil

from llmstack_tui.service.ollama import ollama_service
from tests.support.stand_ins import RUNNING, STOPPED, StandIns
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from pathlib import Path

    from llmstack_tui.service.service import ManagedService

OLLAMA = """#!{python}
import http.server, json, os, pathlib, sys
assert sys.argv[1:] == ["serve"], sys.argv
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({{"version": "0.32.15"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
host, _, port = os.environ["OLLAMA_HOST"].rpartition(":")
server = http.server.HTTPServer((host, int(port)), Handler)
print('level=INFO msg="Listening on ' + os.environ["OLLAMA_HOST"] + ' (version 0.32.15)"', flush=True)
pathlib.Path({pid!r}).write_text(str(os.getpid()))
server.serve_forever()
"""


class Machine:
    """A machine with ``ollama`` on its path, and maybe ``systemctl``."""

    def __init__(self, folder: Path) -> None:
        self.programs = StandIns(folder / "bin")
        self.pid_file = folder / "pid"
        ollama = OLLAMA.format(python=sys.executable, pid=str(self.pid_file))
        self.ollama = self.programs.program("ollama", ollama)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.address = f"127.0.0.1:{taken.getsockname()[1]}"
        self.started: list[psutil.Popen] = []
        self.environ = self.programs.environ(OLLAMA_HOST=self.address, HOME=str(folder))

    @property
    def service(self) -> ManagedService:
        return ollama_service(self.environ, "linux")

    @property
    def pid(self) -> int:
        return int(self.pid_file.read_text() or "0") if self.pid_file.exists() else 0

    def start(self) -> psutil.Popen:
        """Somebody else starts it."""
        process = psutil.Popen([str(self.ollama), "serve"], env=dict(self.environ))
        self.started.append(process)
        wait_until_sync(lambda: self.pid == process.pid)
        return process

    def runs_as(self, unit: str, *, user: bool = False) -> None:
        """What ``systemctl start`` of a unit does from now on."""
        self.programs.unit(unit, STOPPED, user=user)
        scope = "user" if user else "system"
        shown = f"{self.programs.folder}/{scope}/{unit}"
        begin = f"OLLAMA_HOST={self.address} setsid {self.ollama} serve </dev/null >/dev/null 2>&1 & pid=$!"
        running = RUNNING.format(pid="$pid")
        self.programs.file("start", f"{begin}\ncat > {shown} <<END\n{running}END\n")
        self.programs.file("stop", f"kill $(cat {self.pid_file}); cat > {shown} <<'END'\n{STOPPED}END\n")
