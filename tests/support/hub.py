"""Hugging Face's API for tests, in a thread: real HTTP in the shape that its documents have.

https://huggingface.co/docs/hub/api; the fields of a model are those of ``huggingface_hub.ModelInfo``.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

GB = 1_000_000_000


@dataclass
class Said:
    """An answer instead of the true one."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeHub:
    """Attributes:
    models: what it has, as its API writes it.
    instead: the answer to every request, if there is one.
    hangs: it takes requests, and answers none until `gate` is set.
    asked: path and query of all requests.
    """

    url: str = ""
    models: list[dict[str, object]] = field(default_factory=list)
    instead: Said | None = None
    hangs: bool = False
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[str] = field(default_factory=list)

    def has(self, id_: str, *files: tuple[str, int], gated: object = False, **header: object) -> None:
        """Add a repository."""
        known = {"total": 1_235_814_432, "architecture": "llama", "context_length": 131072} | header
        self.models.append(
            {
                "id": id_,
                "modelId": id_,
                "private": False,
                "gated": gated,
                "downloads": 1000 - len(self.models),
                "lastModified": "2026-08-20T10:00:00.000Z",
                "gguf": known | {"chat_template": "{{ messages }}"},
                "siblings": [{"rfilename": name, "size": size, "blobId": "5a"} for name, size in files],
            }
        )

    def answer(self, target: str) -> Said:
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        if parts.path == "/api/models":
            start, limit = int(query.get("cursor", ["0"])[0]), int(query["limit"][0])
            words = query["search"][0].casefold().split()
            found = [
                each for each in self.models if all(word in str(each["id"]).casefold() for word in words)
            ]
            headers = {}
            if start + limit < len(found):
                headers["Link"] = f'<{self.url}/api/models?cursor={start + limit}&limit=9999>; rel="next"'
            shown = [{**each, "siblings": None} for each in found[start : start + limit]]
            return Said(
                body=json.dumps(
                    [{k: v for k, v in each.items() if v is not None} for each in shown]
                ).encode(),
                headers=headers,
            )
        id_ = unquote(parts.path.removeprefix("/api/models/"))
        model = next((each for each in self.models if each["id"] == id_), None)
        # That is how it answers for what is private, too.
        return (
            Said(body=json.dumps(model).encode())
            if model
            else Said(401, b'{"error":"Invalid username or password."}')
        )


@contextmanager
def serving_hub() -> Iterator[FakeHub]:
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hub.asked.append(self.path)
            if hub.hangs:
                hub.gate.wait()
                self.close_connection = True
                return
            said = hub.instead or hub.answer(self.path)
            self.send_response(said.status)
            for name, value in {"Content-Type": "application/json", **said.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(said.body)

        def log_message(self, *_: object) -> None:
            """Nothing: tests read their output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hub
    finally:
        hub.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()
