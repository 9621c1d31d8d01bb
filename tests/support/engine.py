"""A real engine over real HTTP, with tiny models: its own, and some that Ollama has put there."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from tests.support import folders
from tests.support.engine_process import MODEL, engine_process, running
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psutil

HI = [{"role": "user", "content": "Hi"}]
GREEDY = {"temperature": 0}

# Thinks unless it is told not to.
THINKING = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if message.reasoning_content %}"
    "{{ '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}"
    "{% endif %}"
    "{{ message.content + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|im_start|>assistant\\n' }}"
    "{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}"
    "{% else %}{{ '<think>\\n' }}{% endif %}"
    "{% endif %}"
)


class Serving:
    """A running engine and a client of it. ``system`` is the text of the system layer of ``ollamas``."""

    system = "Terse."

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self.home = home
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def post(self, path: str, /, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body)

    def answered(self, path: str, /, **body: Any) -> dict[str, Any]:
        """The one object of a 200."""
        response = self.post(path, stream=False, **body)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def chat(self, content: str = "Hi", **body: Any) -> dict[str, Any]:
        messages = [{"role": "user", "content": content}]
        return self.answered("/api/chat", **{"model": "tiny", "messages": messages, "options": GREEDY} | body)

    def generate(self, prompt: str = "Hi", **body: Any) -> dict[str, Any]:
        return self.answered("/api/generate", **{"model": "tiny", "prompt": prompt, "options": GREEDY} | body)

    def error(self, status: int, path: str, /, **body: Any) -> str:
        """The text of a failure with that status."""
        response = self.post(path, **body)
        assert response.status_code == status, response.text
        error = response.json()["error"]
        return str(error["message"] if isinstance(error, dict) else error)

    def ps(self) -> dict[str, dict[str, Any]]:
        """What is loaded, by its name."""
        return {str(loaded["name"]): loaded for loaded in self.http.get("/api/ps").json()["models"]}

    def import_file(self, name: str, path: Path) -> None:
        answer = self.post("/api/import", model=name, path=str(path))
        assert answer.text.endswith('{"status":"success"}\n'), answer.text

    def wait_idle(self, name: str) -> None:
        wait_until_sync(lambda: not self.ps().get(name, {}).get("requests"), 30, f"nobody uses {name}")

    def unload_all(self) -> None:
        for name in self.ps():
            self.post("/api/generate", model=name, keep_alive=0)
        wait_until_sync(lambda: not self.ps(), 30, "all have left")


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[Serving]:
    with engine_process(home, **environment) as url:
        found = Serving(url, home)
        try:
            yield found
        finally:
            found.http.close()


def add_ollamas(home: Path, weights: Path) -> None:
    """What a pull of Ollama's leaves: a model with a system message, parameters and a conversation."""
    folder = home / ".ollama" / "models"
    said = [{"role": "user", "content": "One?"}, {"role": "assistant", "content": "Two."}]
    folders.write(
        folder,
        "registry.ollama.ai/library/ollamas/latest",
        folders.manifest(
            folder,
            weights.read_bytes(),
            folders.layer(folder, "system", Serving.system.encode()),
            folders.layer(folder, "params", json.dumps({"temperature": 0, "num_predict": 3}).encode()),
            folders.layer(folder, "messages", json.dumps(said).encode()),
            folders.layer(folder, "license", b"CC0\n1.0"),
        ),
    )


def model_processes(engine: Serving) -> list[psutil.Process]:
    """The processes of all models that are loaded."""
    return running(MODEL, engine.home)


def model_process(engine: Serving) -> psutil.Process:
    """The process of the one model that is loaded."""
    (process,) = model_processes(engine)
    return process
