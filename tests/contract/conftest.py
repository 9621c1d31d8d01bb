"""The servers that must pass the contract: the built-in engine, and a real Ollama where there is one.

``LLMSTACK_TEST_OLLAMA`` gives the address of a real Ollama. The suite adds models under a name of its own and
removes them again; it unloads what is loaded there.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.contract.recordings import NEWEST, recording_of
from tests.support.engine_process import engine_process
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL = "llmstack-contract:tiny"
ENDLESS = "llmstack-contract:endless"


class Server:
    """A running server that has the two models of the suite.

    Attributes:
        recording: which recorded answers it is held to; those of the newest Ollama if it is the ``engine``.
    """

    def __init__(self, url: str, *, engine: bool = False) -> None:
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self.model = MODEL
        self.endless_model = ENDLESS
        self.engine = engine
        version: str = self.http.get("/api/version").json()["version"]
        self.recording = NEWEST if engine else recording_of(version)

    def ps(self) -> list[dict[str, Any]]:
        models: list[dict[str, Any]] = self.http.get("/api/ps").json()["models"]
        return models

    def unload_all(self) -> None:
        for running in self.ps():
            self.http.post("/api/generate", json={"model": running["name"], "keep_alive": 0})
        self.wait_gone()

    def wait_gone(self) -> None:
        wait_until_sync(lambda: not self.ps(), 30, "nothing is loaded any more")


def create_from_file(http: httpx.Client, name: str, path: Path) -> None:
    """As Ollama's own clients do: send the blob, then create a model of it."""
    data = path.read_bytes()
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if http.head(f"/api/blobs/{digest}").status_code == 404:
        http.post(f"/api/blobs/{digest}", content=data).raise_for_status()
    answer = http.post("/api/create", json={"model": name, "files": {path.name: digest}, "stream": False})
    assert answer.json() == {"status": "success"}, answer.text


@contextmanager
def real_ollama(models: dict[str, Path]) -> Iterator[Server]:
    address = os.environ.get("LLMSTACK_TEST_OLLAMA")
    if not address:
        pytest.skip("LLMSTACK_TEST_OLLAMA does not name a real Ollama")
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.fail("A real Ollama is one for all tests: add -n0, so that they run one after the other.")
    server = Server(address if "://" in address else f"http://{address}")
    try:
        for name, path in models.items():
            create_from_file(server.http, name, path)
        server.unload_all()
        yield server
        server.unload_all()
        for name in models:
            server.http.request("DELETE", "/api/delete", json={"model": name})
    finally:
        server.http.close()


@contextmanager
def builtin_engine(models: dict[str, Path], folder: Path) -> Iterator[Server]:
    with engine_process(folder) as url:
        server = Server(url, engine=True)
        try:
            for name, path in models.items():
                create_from_file(server.http, name, path)
            yield server
        finally:
            server.http.close()


@pytest.fixture(scope="package", params=["engine", "ollama"])
def server(
    request: pytest.FixtureRequest,
    tiny_model: Path,
    endless_model: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    models = {MODEL: tiny_model, ENDLESS: endless_model}
    if request.param == "engine":
        with builtin_engine(models, tmp_path_factory.mktemp("home")) as found:
            yield found
    else:
        with real_ollama(models) as found:
            yield found
