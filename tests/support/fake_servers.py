"""Stand-ins for servers that speak OpenAI's protocol, each as its public documents say (see `openai.wire`).

The router's answers are those of a real llama-server of build 10488, where they were read off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote

from llmstack_tui.base.kinds import ServerKind
from tests.support.scripted_server import Reply, Then, document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.support.scripted_server import Request

NOT_FOUND = document({"error": {"message": "File Not Found", "type": "not_found_error", "code": 404}}, 404)


def sse(*events: object, done: bool = True, then: Then = Then.END) -> Reply:
    """A stream of events."""
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return Reply([*lines, *([b"data: [DONE]\n\n"] if done else [])], 200, "text/event-stream", then)


def piece(text: str) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


LAST = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
USAGE = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}


@dataclass
class FakeServer:
    """Any program: lists its models, and answers a chat with "Hello there".

    Attributes:
        models: their names.
        key: is asked for in everything but what the program leaves open.
        loaded: the names of those in memory.
        busy, asleep, failed: the names of those that answer a request, sleep, and could not be loaded.
        unloaded: the names in the order in which they were asked to leave.
    """

    models: Sequence[str] = ("a", "b")
    key: str = ""
    loaded: list[str] = field(default_factory=list)
    busy: set[str] = field(default_factory=set)
    unloaded: list[str] = field(default_factory=list)
    asleep: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    owner = "system"
    open: ClassVar[frozenset[str]] = frozenset()

    async def __call__(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        if (
            self.key
            and path not in self.open
            and request.headers.get("authorization") != f"Bearer {self.key}"
        ):
            error = {"message": "Invalid API Key", "type": "authentication_error", "code": 401}
            return document({"error": error}, 401)
        if (request.method, path) == ("POST", "/v1/chat/completions"):
            return self.chat(str(request.json.get("model")))
        return self.answer(request, path) or self.unknown(request)

    def answer(self, request: Request, path: str) -> Reply | None:
        if path == "/v1/models":
            return document({"object": "list", "data": [self.entry(name) for name in self.models]})
        return None

    def unknown(self, _: Request) -> Reply:
        return NOT_FOUND

    def entry(self, name: str) -> dict[str, object]:
        return {"id": name, "object": "model", "created": 1, "owned_by": self.owner}

    def chat(self, model: str) -> Reply:
        if model not in self.models:
            return document({"error": {"message": f"model '{model}' not found", "code": 404}}, 404)
        return sse(piece("Hello"), piece(" there"), LAST, USAGE)

    def load(self, name: str) -> None:
        self.loaded.append(name)

    def unload(self, name: str) -> None:
        self.loaded.remove(name)
        self.unloaded.append(name)


class FakeRouter(FakeServer):
    """llama-server in router mode; a model of ``broken`` cannot be loaded, one of ``asleep`` sleeps."""

    owner = "llamacpp"
    open = frozenset({"/health", "/v1/health", "/models", "/v1/models"})
    broken: ClassVar[frozenset[str]] = frozenset({"broken"})

    def answer(self, request: Request, path: str) -> Reply | None:
        match request.method, path:
            case "GET", "/models":
                return super().answer(request, "/v1/models")
            case "GET", "/props":
                return document({"role": "router", "build_info": "b10488-fake"})
            case "GET", "/slots":
                return self._slots(request)
            case "POST", "/models/load":
                return self._load(str(request.json["model"]))
            case "POST", "/models/unload":
                return self._unload(str(request.json["model"]))
        return super().answer(request, path)

    def entry(self, name: str) -> dict[str, object]:
        is_running = name in self.loaded
        state = "sleeping" if name in self.asleep else "loaded" if is_running else "unloaded"
        status: dict[str, object] = {"value": state, "args": ["llama-server", "--alias", name]}
        if name in self.failed:
            status |= {"failed": True, "exit_code": 1}
        meta = {
            "n_ctx": 512,
            "n_ctx_train": 4096,
            "n_params": 134_515_008,
            "size": 98_000_000,
            "ftype": "Q4_1",
        }
        return super().entry(name) | {"status": status} | ({"meta": meta} if is_running else {})

    def _slots(self, request: Request) -> Reply:
        name = unquote(request.path.partition("model=")[2].partition("&")[0])
        self.asleep.discard(name)
        if name not in self.loaded:
            return _wrong("model is not loaded")
        return document([{"id": 0, "is_processing": name in self.busy}, {"id": 1, "is_processing": False}])

    def _load(self, name: str) -> Reply:
        if name not in self.models:
            return NOT_FOUND
        if name in self.loaded:
            return _wrong("model is already running")
        if name in self.broken:
            self.failed.add(name)
        else:
            self.load(name)
        return document({"success": True})

    def _unload(self, name: str) -> Reply:
        if name not in self.loaded:
            return _wrong("model is not running" if name in self.models else "model is not found")
        self.unload(name)
        return document({"success": True})


class FakeSwap(FakeServer):
    """llama-swap, whose models may stay together; the server of each is a llama-server."""

    owner = "llama-swap"
    open = frozenset({"/health"})

    def answer(self, request: Request, path: str) -> Reply | None:
        match request.method, path:
            case "GET", "/api/version":
                return document({"version": "175", "commit": "032d741", "build_date": "2026-01-01"})
            case "GET", "/running":
                running = [{"model": name, "state": "ready", "ttl": 0, "name": ""} for name in self.loaded]
                return document({"running": running})
        if path.startswith("/upstream/"):
            name, _, rest = unquote(path.removeprefix("/upstream/")).rpartition("/")
            return self._upstream(name, rest)
        if request.method == "POST" and path.startswith("/api/models/unload/"):
            name = unquote(path.removeprefix("/api/models/unload/"))
            if name not in self.models:
                return Reply((b"model not found",), 404, "text/plain")
            if name in self.loaded:
                self.unload(name)
            return Reply((b"OK",), content_type="text/plain")
        return super().answer(request, path)

    def _upstream(self, name: str, rest: str) -> Reply:
        if name not in self.models:
            return Reply((b"model not found",), 404, "text/plain")
        if name == "broken":
            return Reply((b"upstream command exited prematurely",), 502, "text/plain")
        if name not in self.loaded:
            self.load(name)
        if rest == "slots":
            return document([{"id": 0, "is_processing": name in self.busy}])
        return document({"status": "ok"})


class FakeStudio(FakeServer):
    """LM Studio since 0.4. What it does not know is answered with 200, as every version of it does."""

    owner = "organization_owner"

    def answer(self, request: Request, path: str) -> Reply | None:
        match request.method, path:
            case "GET", "/api/v1/models":
                return document({"models": [self.model(name) for name in self.models]})
            case "POST", "/api/v1/models/load":
                return self._load(str(request.json["model"]))
            case "POST", "/api/v1/models/unload":
                name = str(request.json["instance_id"])
                self.unload(name)
                return document({"instance_id": name})
        return super().answer(request, path)

    def unknown(self, request: Request) -> Reply:
        said = f"Unexpected endpoint or method. ({request.method} {request.path}). Returning 200 anyway"
        return document({"error": said})

    def model(self, name: str) -> dict[str, object]:
        instances = [{"id": name, "config": {"context_length": 4096}}] if name in self.loaded else []
        return {
            "type": "embedding" if "embed" in name else "llm",
            "key": name,
            "architecture": "gemma3",
            "quantization": {"name": "Q4_0", "bits_per_weight": 4},
            "size_bytes": 241_410_208,
            "params_string": "270M",
            "loaded_instances": instances,
            "max_context_length": 32768,
            "format": "gguf",
        }

    def _load(self, name: str) -> Reply:
        if name not in self.models:
            return document({"error": {"message": f"Model {name} not found", "type": "invalid_request"}}, 404)
        self.load(name)
        return document({"type": "llm", "instance_id": name, "load_time_seconds": 0.1, "status": "loaded"})


class FakeOldStudio(FakeStudio):
    """LM Studio before 0.4."""

    def answer(self, request: Request, path: str) -> Reply | None:
        if path == "/api/v0/models":
            models = [
                {
                    "id": name,
                    "object": "model",
                    "type": "llm",
                    "arch": "llama",
                    "compatibility_type": "gguf",
                    "quantization": "Q4_K_M",
                    "state": "loaded" if name in self.loaded else "not-loaded",
                    "max_context_length": 131072,
                }
                for name in self.models
            ]
            return document({"object": "list", "data": models})
        return None if path.startswith("/api/v1/") else super().answer(request, path)


class FakeVLLM(FakeServer):
    owner = "vllm"

    def answer(self, request: Request, path: str) -> Reply | None:
        return document({"version": "0.12.0"}) if path == "/version" else super().answer(request, path)

    def entry(self, name: str) -> dict[str, object]:
        return super().entry(name) | {"root": name, "max_model_len": 8192}


class FakeTGI(FakeServer):
    """Its one model is the first of ``models``."""

    def answer(self, request: Request, path: str) -> Reply | None:
        if path == "/info":
            info = {"model_id": self.models[0], "max_total_tokens": 4096, "version": "3.3.4"}
            return document(info)
        return super().answer(request, path)

    def entry(self, name: str) -> dict[str, object]:
        return super().entry(name) | {"owned_by": name}


class FakeRay(FakeServer):
    owner = "organization-owner"

    def entry(self, name: str) -> dict[str, object]:
        return super().entry(name) | {"permission": [], "metadata": {"model_id": name}}


class FakeLlamaServer(FakeServer):
    """llama-server with its one model, the first of ``models``; tests have a real one, too."""

    owner = "llamacpp"
    open = FakeRouter.open
    is_asleep = False

    def answer(self, request: Request, path: str) -> Reply | None:
        if path == "/props":
            settings = {"params": {}, "n_ctx": 512}
            return document(
                {
                    "default_generation_settings": settings,
                    "chat_template": "{{ messages }}",
                    "build_info": "b10488-fake",
                    "is_sleeping": self.is_asleep,
                }
            )
        return super().answer(request, path)


SERVERS: dict[ServerKind, Callable[[], FakeServer]] = {
    ServerKind.OPENAI: FakeServer,
    ServerKind.LLAMA_SERVER: lambda: FakeLlamaServer(("a",)),
    ServerKind.LLAMA_ROUTER: FakeRouter,
    ServerKind.LLAMA_SWAP: FakeSwap,
    ServerKind.LM_STUDIO: FakeStudio,
    ServerKind.VLLM: FakeVLLM,
    ServerKind.TGI: lambda: FakeTGI(("org/a",)),
    ServerKind.RAY_SERVE: FakeRay,
}


def _wrong(message: str) -> Reply:
    return document({"error": {"code": 400, "message": message, "type": "invalid_request_error"}}, 400)
