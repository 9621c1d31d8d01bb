"""The registry's server, in a thread with an event loop of its own: tests of either kind can use it."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from llmstack_tui.base.structs import replace
from tests.support.registry import published
from tests.support.registry.answers import Answer, blob_answer, changed, parse_range, send
from tests.support.registry.published import MANIFEST_TYPE, Layer, Version
from tests.support.scripted_server import accept_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.support.registry.faults import Fault

BLOB_HOST = "localhost"


@dataclass(frozen=True)
class Asked:
    """A request. ``host`` is the host name without the port; header names are lower case."""

    method: str
    path: str
    host: str
    headers: Mapping[str, str]
    at_s: float


class Registry:
    """Names are ``namespace/model:tag``, or ``model:tag`` for those of ``library``.

    Attributes:
        faults: the first one that fits a request holds for it. Set it, or append to it, at any time.
        delay_s: seconds before each answer: a slow round trip.
        ollama_headers: HEAD answers have ``ollama-content-digest`` and ``ollama-push-time``, as Ollama's own
            registry does it; without, ``Docker-Content-Digest`` as others do.
        lists_tags: ``tags/list`` answers.
        redirects: blobs are on another host name; else they are answered where they are asked for.
        wants_token: what is asked under ``/v2/`` needs a token, which ``/token`` gives to anybody.
        realm: where it says that tokens are; None is where they are.
        token_s: how long it says that they hold; ``token_uses`` is for how many questions they do.
        tokens: those that were given, in order.
        asked: all requests, in order.
        at_once: the highest number of requests that were being answered at one time.
        blob_bytes_sent: bytes of blobs that were sent.
    """

    def __init__(self) -> None:
        self.port = 0
        self.faults: list[Fault] = []
        self.delay_s = 0.0
        self.ollama_headers = True
        self.lists_tags = True
        self.redirects = True
        self.wants_token = False
        self.realm: str | None = None
        self.token_s: object = 300
        self.token_uses: int | None = None
        self.tokens: list[str] = []
        self._uses: dict[str, tuple[str, int]] = {}
        self.asked: list[Asked] = []
        self.at_once = 0
        self.blob_bytes_sent = 0
        self._now = 0
        self._versions: dict[str, Version] = {}
        self._blobs: dict[str, Layer] = {}
        self._used: list[Fault] = []
        # The event loop would forget one that stalls when its client is gone.
        self._tasks: set[asyncio.Task[None] | None] = set()

    @property
    def host(self) -> str:
        """``127.0.0.1:port``: the host part of a model's name."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def name(self, name: str) -> str:
        """What to pull: ``http://127.0.0.1:port/library/tiny:latest``. Needs ``insecure`` at an Ollama."""
        return f"{self.url}/{_full(name)}"

    def listed(self, name: str) -> str:
        """How a server lists the model once it is pulled: `name` without the scheme."""
        return f"{self.host}/{_full(name)}"

    def publish(
        self,
        name: str,
        weights: bytes | Path,
        *,
        template: str | None = None,
        system: str | None = None,
        parameters: Mapping[str, object] | None = None,
        licenses: Sequence[str] = (),
        config: Mapping[str, object] = published.CONFIG,
        pushed_at_s: int | None = None,
    ) -> Version:
        """Have the tag point to a new version. ``pushed_at_s`` is now unless it is given."""
        made = published.version(
            weights,
            template=template,
            system=system,
            parameters=parameters,
            licenses=licenses,
            config=config,
            pushed_at_s=pushed_at_s,
        )
        self._blobs |= {layer.digest: layer for layer in made.layers}
        self._versions[_full(name)] = made
        return made

    def publish_manifest(self, name: str, manifest: bytes | object, *, pushed_at_s: int = 0) -> Version:
        """Have the tag point to any bytes, or to JSON of any shape. Its blobs are those published before."""
        content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        made = self._versions[_full(name)] = Version(content, (), pushed_at_s)
        return made

    def add_blob(self, layer: Layer) -> None:
        self._blobs[layer.digest] = layer

    def withdraw(self, name: str) -> None:
        """The model is no longer there."""
        del self._versions[_full(name)]

    def requests(self, part: str = "", method: str = "") -> list[Asked]:
        """Those whose path contains ``part``."""
        return [each for each in self.asked if part in each.path and method in ("", each.method)]

    def forget(self) -> None:
        """Begin the log and the counts anew."""
        self.asked.clear()
        self.at_once = self.blob_bytes_sent = 0

    # --- answers ---

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.current_task())
        try:
            while True:
                asked = await _read(reader)
                self.asked.append(asked)
                self._now += 1
                self.at_once = max(self.at_once, self._now)
                try:
                    if not await self._exchange(asked, writer):
                        return
                finally:
                    self._now -= 1
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return
        finally:
            self._tasks.discard(asyncio.current_task())
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, asked: Asked, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection can be used again."""
        fault, answer = self._fault(asked), self._answer(asked)
        delay_s = self.delay_s + (fault.delay_s if fault else 0)
        if delay_s:
            await asyncio.sleep(delay_s)
        if fault is not None:
            answer = changed(answer, fault)
        is_blob = "/blobs/" in asked.path and answer.status in (200, 206)

        def sent(count: int) -> None:
            self.blob_bytes_sent += count if is_blob else 0

        def holds() -> bool:
            return fault in self.faults

        return await send(writer, answer, fault, head=asked.method == "HEAD", sent=sent, holds=holds)

    def _fault(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            fits = fault.path in asked.path
            fits = fits and fault.host in (None, asked.host) and fault.method in (None, asked.method)
            if fits and (fault.times is None or sum(used is fault for used in self._used) < fault.times):
                self._used.append(fault)
                return fault
        return None

    def _answer(self, asked: Asked) -> Answer:
        parts = asked.path.partition("?")[0].strip("/").split("/")
        if asked.method not in ("GET", "HEAD"):
            return _error(405, "UNSUPPORTED")
        match parts:
            case ["token"]:
                return self._token(asked)
            case ["v2", *_] if self.wants_token and not self._may(asked, "/".join(parts[1:3])):
                return self._unauthorized("/".join(parts[1:3]))
            case ["v2", *_]:
                return self._of_model(asked, parts)
            case ["data", "blobs", digest]:
                return self._blob(asked, unquote(digest), redirects=False)
        return _error(404, "NAME_UNKNOWN")

    def _of_model(self, asked: Asked, parts: list[str]) -> Answer:
        match parts:
            case ["v2", namespace, model, "manifests", tag]:
                return self._manifest(asked, f"{namespace}/{model}:{tag}")
            case ["v2", namespace, model, "tags", "list"] if self.lists_tags:
                return self._tags(f"{namespace}/{model}")
            case ["v2", _, _, "blobs", digest]:
                return self._blob(asked, unquote(digest), redirects=self.redirects)
        return _error(404, "NAME_UNKNOWN")

    def _token(self, asked: Asked) -> Answer:
        query = parse_qs(asked.path.partition("?")[2])
        token = f"anybody.{len(self.tokens)}-{secrets.token_hex(8)}"
        self.tokens.append(token)
        self._uses[token] = query.get("scope", [""])[0], 0
        given: dict[str, object] = {"token": token}
        if self.token_s is not None:
            given["expires_in"] = self.token_s
        return Answer(200, {"Content-Type": "application/json"}, _json(given))

    def _may(self, asked: Asked, model: str) -> bool:
        kind, _, token = asked.headers.get("authorization", "").partition(" ")
        scope, uses = self._uses.get(token, ("", 0))
        self._uses[token] = scope, uses + 1
        enough = self.token_uses is None or uses < self.token_uses
        return kind == "Bearer" and scope == _scope(model) and enough

    def _unauthorized(self, model: str) -> Answer:
        realm = self.realm or f"{self.url}/token?who=anybody"
        wanted = f'Bearer realm="{realm}",service="tests, all of them",scope="{_scope(model)}"'
        answer = _error(401, "UNAUTHORIZED")
        return replace(answer, headers={**answer.headers, "WWW-Authenticate": wanted})

    def _manifest(self, asked: Asked, name: str) -> Answer:
        version = self._versions.get(name)
        if version is None:
            return _error(404, "MANIFEST_UNKNOWN")
        digest, tag = version.digest, f'"{version.digest}"'
        headers = {"ETag": tag}
        if not self.ollama_headers:
            headers["Docker-Content-Digest"] = f"sha256:{digest}"
        elif asked.method == "HEAD":
            headers |= {"ollama-content-digest": digest, "ollama-push-time": str(version.pushed_at_s)}
        if asked.headers.get("if-none-match") == tag:
            return Answer(304, headers, b"")
        # Ollama's own registry says text/plain.
        kind = "text/plain; charset=utf-8" if self.ollama_headers else MANIFEST_TYPE
        return Answer(200, headers | {"Content-Type": kind}, version.manifest)

    def _tags(self, model: str) -> Answer:
        tags = sorted(name.partition(":")[2] for name in self._versions if name.partition(":")[0] == model)
        if not tags:
            return _error(404, "NAME_UNKNOWN")
        return Answer(200, {"Content-Type": "application/json"}, _json({"name": model, "tags": tags}))

    def _blob(self, asked: Asked, digest: str, *, redirects: bool) -> Answer:
        layer = self._blobs.get(digest)
        if layer is None:
            return _error(404, "BLOB_UNKNOWN")
        if redirects:
            location = f"http://{BLOB_HOST}:{self.port}/data/blobs/{digest}?signature=very%2Fsecret"
            return Answer(307, {"Location": location}, b"")
        return blob_answer(layer, parse_range(asked.headers.get("range"), layer.size))


def _scope(model: str) -> str:
    return f"repository:{model}:pull"


def _full(name: str) -> str:
    rest, _, tag = name.partition(":")
    return f"{rest if '/' in rest else f'library/{rest}'}:{tag or 'latest'}"


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _error(status: int, code: str) -> Answer:
    body = {"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}
    return Answer(status, {"Content-Type": "application/json"}, _json(body))


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *rest = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, path, headers.get("host", "").partition(":")[0], headers, time.monotonic())


@contextmanager
def serving(port: int = 0) -> Iterator[Registry]:
    """A registry on ``port``, or on a free one."""
    registry, loop, ready = Registry(), asyncio.new_event_loop(), threading.Event()
    closing = asyncio.Event()
    failed: list[BaseException] = []

    async def run() -> None:
        try:
            listener = await asyncio.start_server(registry.accept, "127.0.0.1", port)
        except OSError as error:
            failed.append(error)
            return
        registry.port = listener.sockets[0].getsockname()[1]
        ready.set()
        await closing.wait()
        await accept_all(registry.port)
        listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def work() -> None:
        try:
            loop.run_until_complete(run())
        finally:
            loop.close()
            ready.set()

    thread = threading.Thread(target=work, name="test-registry", daemon=True)
    thread.start()
    ready.wait(30)
    if failed:
        raise failed[0]
    try:
        yield registry
    finally:
        loop.call_soon_threadsafe(closing.set)
        thread.join(30)
