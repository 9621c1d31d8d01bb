"""A server with enough of Ollama's protocol for a command, and with names and answers that no Ollama has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.support.scripted_server import Reply, Then, document, ndjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.scripted_server import Request

WEIGHTS = "sha256-" + "b" * 64


class LittleOllama:
    """Models load and leave at once. ``loaded`` are names, ``answer`` and ``then`` what a chat streams."""

    def __init__(self, *names: str, loaded: tuple[str, ...] = (), version: str = "0.32.15") -> None:
        self.names = list(names)
        self.loaded = list(loaded)
        self.version = version
        self.cloud: set[str] = set()
        self.weights = dict.fromkeys(names, WEIGHTS)
        self.answer: tuple[str, ...] = ("Hello", " there.")
        self.then = Then.END
        self.asked: list[tuple[str, Any]] = []
        self.info: Mapping[str, object] = {"qwen2.context_length": 32768, "general.architecture": "qwen2"}

    async def __call__(self, request: Request) -> Reply:
        body: Any = request.json if request.body else {}
        self.asked.append((request.path, body))
        name = body.get("model")
        if name is not None and name not in self.names:
            return document({"error": f"model '{name}' not found"}, 404)
        replies = {
            "/api/version": lambda: document({"version": self.version}),
            "/api/tags": lambda: document({"models": [self._tag(each) for each in self.names]}),
            "/api/ps": lambda: document({"models": [self._loaded(each) for each in self.loaded]}),
            "/api/show": lambda: document(self._shown(name)),
            "/api/generate": lambda: self._generate(name, body),
            "/api/chat": lambda: self._chat(name),
            "/api/delete": lambda: self._delete(name),
        }
        return replies[request.path]()

    def _delete(self, name: str) -> Reply:
        self.names.remove(name)
        return Reply()

    def _tag(self, name: str) -> dict[str, object]:
        tag: dict[str, object] = {
            "name": name,
            "model": name,
            "modified_at": "2026-11-21T07:49:02.957391185+02:00",
            "size": 4_683_087_332,
            "digest": f"{self.names.index(name):064x}",
            "details": {
                "format": "gguf",
                "family": "qwen2",
                "parameter_size": "7.6B",
                "quantization_level": "Q4_K_M",
            },
        }
        if name in self.cloud:
            tag |= {"remote_host": "https://ollama.com", "remote_model": name, "size": 300}
        return tag

    def _loaded(self, name: str) -> dict[str, object]:
        digest = f"{self.names.index(name):064x}" if name in self.names else "f" * 64
        return {
            "name": name,
            "model": name,
            "size": 5_100_000_000,
            "size_vram": 0,
            "digest": digest,
            "expires_at": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(),
            "context_length": 4096,
        }

    def _shown(self, name: str) -> dict[str, object]:
        return {
            "modelfile": f"FROM /models/blobs/{self.weights[name]}\n",
            "parameters": "temperature 0.2",
            "template": "{{ .Prompt }}\x1b[2J\nsecond line",
            "details": {"family": "qwen2", "parameter_size": "7.6B", "quantization_level": "Q4_K_M"},
            "model_info": self.info,
            "capabilities": ["tools", "completion"],
        }

    def _generate(self, name: str, body: dict[str, object]) -> Reply:
        unload = body.get("keep_alive") == 0
        if unload and name in self.loaded:
            self.loaded.remove(name)
        if not unload and name not in self.loaded:
            self.loaded.append(name)
        return document({"model": name, "done": True, "done_reason": "unload" if unload else "load"})

    def _chat(self, name: str) -> Reply:
        pieces = [{"model": name, "message": {"role": "assistant", "content": text}} for text in self.answer]
        if self.then is not Then.END:
            return ndjson(*pieces, then=self.then)
        last = {
            "model": name,
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": "stop",
            "total_duration": 2_000_000_000,
            "load_duration": 500_000_000,
            "prompt_eval_count": 7,
            "prompt_eval_duration": 500_000_000,
            "eval_count": 10,
            "eval_duration": 1_000_000_000,
        }
        return ndjson(*pieces, last)
