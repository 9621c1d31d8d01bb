"""A stand-in for the server of Ollama's releases, and for Ollama in an archive: a program that only answers.

The files are named, listed and packed as github.com/ollama/ollama has them: ``sha256sum.txt`` with a leading
``./``, archives with ``bin/ollama`` and ``lib/ollama``, and ``install.sh``.
"""

from __future__ import annotations

import gzip
import io
import json
import platform
import shutil
import subprocess
import sys
import tarfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

# As much of Ollama as is needed to be found, listed and ended. ``{version}`` is replaced.
OLLAMA = """#!{python}
import http.server, json, os, sys

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        empty = {{"models": []}}
        known = {{"/api/version": {{"version": "{version}"}}, "/api/tags": empty, "/api/ps": empty}}
        body = json.dumps(known.get(self.path, {{"error": "not found"}})).encode()
        self.send_response(200 if self.path in known else 404)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *about):
        pass

assert sys.argv[1:] == ["serve"]
{crash}
host, _, port = os.environ["OLLAMA_HOST"].rpartition(":")
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
"""
SCRIPT = """#!/bin/sh
# Stands in for Ollama's script: it asks for nothing, and says which version it was told.
echo ">>> Installing ollama $OLLAMA_VERSION" >&2
{then}
"""


def program(version: str, *, crashes: bool = False) -> bytes:
    crash = 'sys.exit("Error: listen tcp: bind: address already in use")' if crashes else ""
    return OLLAMA.format(python=sys.executable, version=version, crash=crash).encode()


def archive(members: Mapping[str, bytes], *more: tarfile.TarInfo) -> bytes:
    """A ``.tgz``; what is in ``bin`` is executable."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755 if name.startswith("bin") else 0o644
            tar.addfile(info, io.BytesIO(content))
        for each in more:
            tar.addfile(each)
    return packed.getvalue()


def zst(tgz: bytes) -> bytes:
    """The same as ``.tar.zst``."""
    zstd = shutil.which("zstd")
    assert zstd is not None
    packing = [zstd, "-q", "-c"]
    return subprocess.run(packing, input=gzip.decompress(tgz), capture_output=True, check=True).stdout


@dataclass
class ReleaseServer:
    """What it has, and how it misbehaves.

    Attributes:
        files: by their paths, such as ``v0.1.0/install.sh``.
        cut: for a path, after how many bytes the connection is closed, once for each time it stands there.
        stopped: set by a test that wants an archive to hang in the middle.
        ranges: what was asked of each path.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    versions: list[dict[str, object]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    cut: dict[str, list[int]] = field(default_factory=dict)
    hangs: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    end: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def add(
        self, version: str, *, crashes: bool = False, kind: str = "tgz", script: str = SCRIPT.format(then="")
    ) -> None:
        """A whole release for each kind of Linux."""
        members = {"bin/ollama": program(version, crashes=crashes), "lib/ollama/libggml.so": b"x" * 200_000}
        packed = archive(members)
        packed = zst(packed) if kind == "tar.zst" else packed
        files = {f"ollama-linux-{arch}.{kind}": packed for arch in ("amd64", "arm64")}
        files["install.sh"] = script.encode()
        self.publish(version, files)

    def publish(self, version: str, files: Mapping[str, bytes]) -> None:
        sums = "".join(f"{sha256(content).hexdigest()}  ./{name}\n" for name, content in files.items())
        for name, content in {**files, "sha256sum.txt": sums.encode()}.items():
            self.files[f"v{version}/{name}"] = content
        self.versions.append({"tag_name": f"v{version}", "draft": False, "prerelease": False})

    def path_of(self, version: str) -> str:
        """The path of the archive for this machine."""
        arch = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
        return next(path for path in self.files if path.startswith(f"v{version}/ollama-linux-{arch}."))

    @property
    def archive_url(self) -> str:
        return f"{self.url}/files"

    @property
    def versions_url(self) -> str:
        return f"{self.url}/versions"

    @property
    def variables(self) -> dict[str, str]:
        """The settings that have llmstack ask here."""
        return {
            "LLMSTACK_INSTALL_ARCHIVE_URL": self.archive_url,
            "LLMSTACK_INSTALL_VERSIONS_URL": self.versions_url,
        }

    @contextmanager
    def serving(self) -> Iterator[ReleaseServer]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield self
        finally:
            self.end.set()
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(served: ReleaseServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            if self.path == "/versions":
                self._send(200, json.dumps(served.versions).encode(), "application/json", with_body=with_body)
                return
            path = self.path.removeprefix("/files/")
            content = served.files.get(path)
            if content is None:
                self._send(404, b"Not Found", "text/plain", with_body=with_body)
                return
            asked = self.headers.get("Range", "")
            if with_body:
                served.asked.append((path, asked))
            first = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
            kind = served.types.get(path, "application/octet-stream")
            self._send(206 if asked else 200, content[first:], kind, with_body=with_body, path=path)

        def _send(self, status: int, body: bytes, kind: str, *, with_body: bool, path: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if not with_body:
                return
            if cuts := served.cut.get(path):
                body = body[: cuts.pop(0)]
            if path in served.hangs:
                self.wfile.write(body[: len(body) // 2])
                served.end.wait()
                return
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def stand_in(folder: Path, name: str, script: str) -> Path:
    """A program in a folder for the PATH, as a shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file
