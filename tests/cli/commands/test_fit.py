"""``llmstack fit``: of a file, of what a server has, and of what is to be had."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.figures import Measured
from tests.support.fake_ollama import FakeOllama, usual_ollama
from tests.support.gguf import models
from tests.support.headers import LLAMA_8B
from tests.support.registry import serving as registry_serving
from tests.support.scripted_server import serving

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.support.program import Program

NAME = "llama:8b"
KEYS = {
    "name", "file", "host", "context_length", "cache_type", "parallel", "estimate", "basis", "parts", "state",
    "tight", "left", "largest_context", "trained_context", "budget", "taken", "profile",
}  # fmt: skip


def settings(llmstack: Program, profile: str) -> Path:
    """A settings file that says what machine this is, whatever it is."""
    path = llmstack.home / "settings.toml"
    path.write_text(f'[hardware]\nprofile = "{profile}"\n')
    return path


def told(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def server(*names: str, loaded: tuple[str, ...] = ()) -> FakeOllama:
    return usual_ollama(*names, loaded=loaded, info=LLAMA_8B)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.random_weights(tmp_path_factory.mktemp("fit") / "tiny.gguf")


def test_a_file_needs_no_server(llmstack: Program, file: Path) -> None:
    document = told(llmstack("fit", file, "--json"))
    assert set(document) == KEYS
    assert (document["name"], document["file"], document["host"]) == ("tiny.gguf", str(file), None)
    # It was trained for less than the engine's usual context.
    assert (document["context_length"], document["trained_context"]) == (2048, 2048)
    assert document["estimate"] == sum(document["parts"].values())
    assert set(document["parts"]) == {"weights", "cache", "compute", "process"}
    assert document["parts"]["cache"] == 2048 * 2 * 2 * 32 * 2
    assert (document["basis"], document["state"], document["tight"]) == ("formula", "fits now", False)
    assert document["largest_context"] == 2048


def test_the_options_count(llmstack: Program, file: Path) -> None:
    document = told(llmstack("fit", file, "--ctx", "1024", "--cache", "q8_0", "--parallel", "3", "--json"))
    assert (document["context_length"], document["cache_type"], document["parallel"]) == (1024, "q8_0", 3)
    assert document["parts"]["cache"] == 3 * 1024 * 2 * 2 * 32 * 17 // 16


def test_ollamas_variables_count_where_no_option_does(llmstack: Program, file: Path) -> None:
    given = llmstack.given(OLLAMA_KV_CACHE_TYPE="q4_0", OLLAMA_CONTEXT_LENGTH="512")
    document = told(given("fit", file, "--json"))
    assert (document["context_length"], document["cache_type"]) == (512, "q4_0")


def test_a_person_reads_parts_verdict_and_the_longest_context(llmstack: Program, file: Path) -> None:
    done = llmstack("fit", file, "--config", settings(llmstack, "nvidia_8gb"))
    assert done.returncode == 0
    assert "tiny.gguf with 2,048 tokens of context, cache f16" in done.stdout
    for part in ("weights", "cache", "compute", "process", "in all"):
        assert f"  {part} " in done.stdout
    assert "by the shape of the model" in done.stdout
    assert "Fits now: there is 8.1 GB of VRAM for models (nvidia_8gb)" in done.stdout
    assert "The longest context that fits is 2,048 tokens, the model's maximum." in done.stdout


def test_what_is_no_model_is_said(llmstack: Program, tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("Not weights.\n" * 100)
    done = llmstack("fit", text)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not a GGUF model" in done.stderr
    done = llmstack("fit", tmp_path / "missing.gguf")
    assert done.returncode == 1
    assert "There is no file" in done.stderr
    assert llmstack("fit").returncode == 2
    assert llmstack("fit", text, "--ctx", "0").returncode == 2
    assert llmstack("fit", text, "--cache", "q3").returncode == 2


async def run(llmstack: Program, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(llmstack, *arguments)


async def test_a_server_tells_the_shape(llmstack: Program) -> None:
    little = server(NAME, "other:7b", loaded=("other:7b",))
    little.weights["other:7b"] = "sha256-" + "c" * 64
    async with serving(little) as at:
        done = await run(
            llmstack, "fit", NAME, "--json", "--host", at.url, "--config", settings(llmstack, "nvidia_8gb")
        )
    document = told(done)
    assert (document["host"], document["basis"]) == (at.url, "formula")
    assert document["parts"]["weights"] == 4_683_087_332
    assert document["parts"]["cache"] == 4096 * 128 * 1024
    # Without the other model it fits.
    assert (document["state"], document["taken"]) == ("fits alone", 5_100_000_000)


async def test_a_server_that_tells_nothing_leaves_the_size(llmstack: Program) -> None:
    async with serving(usual_ollama(NAME)) as at:
        document = told(await run(llmstack, "fit", NAME, "--json", "--host", at.url))
    assert document["basis"] == "file size"
    assert document["estimate"] > 4_683_087_332
    assert document["largest_context"] is None


async def test_what_was_measured_here_comes_first(llmstack: Program) -> None:
    async with serving(server(NAME)) as at:
        assert (await run(llmstack, "start", NAME, "--host", at.url)).returncode == 0
        (state,) = llmstack.home.rglob("state.db")
        async with await Store.open(state, on_notice=print) as store:
            measured = Measured(
                at=datetime.now(UTC), host=at.url, model=NAME, digest=f"{0:064x}", context_length=4096,
                server_bytes=6_000_000_000,
            )  # fmt: skip
            store.measured.add(measured)
        document = told(await run(llmstack, "fit", NAME, "--json", "--host", at.url))
        (listed,) = told(await run(llmstack, "ls", "--json", "--host", at.url))["models"]
        (loaded,) = told(await run(llmstack, "ps", "--json", "--host", at.url))["models"]
    assert (document["basis"], document["estimate"]) == ("measured", 6_000_000_000)
    assert sum(document["parts"].values()) != document["estimate"]
    assert (listed["fit"]["basis"], listed["fit"]["estimate"]) == ("measured", 6_000_000_000)
    # Beside what the server says stands what should be, and not what it said before.
    assert loaded["memory"]["estimate"] == sum(document["parts"].values())


async def test_a_model_of_the_cloud_takes_nothing_here(llmstack: Program) -> None:
    cloud = server("far:cloud")
    cloud.cloud.add("far:cloud")
    async with serving(cloud) as at:
        done = await run(llmstack, "fit", "far:cloud", "--host", at.url)
        (listed,) = told(await run(llmstack, "ls", "--json", "--host", at.url))["models"]
    assert done.returncode == 1
    assert "runs in the cloud" in done.stderr
    assert listed["fit"] == {"state": None, "estimate": None, "basis": None}


def test_what_is_not_installed_is_looked_up_in_the_catalogue(llmstack: Program) -> None:
    done = llmstack("fit", "llama3.3:70b", "--json", "--config", settings(llmstack, "nvidia_8gb"))
    document = told(done)
    assert (document["state"], document["largest_context"], document["host"]) == ("does not fit", 0, None)


def test_of_what_only_a_registry_has_the_size_is_known(llmstack: Program, file: Path) -> None:
    with registry_serving() as registry:
        registry.publish("mine", file.read_bytes())
        document = told(llmstack("fit", registry.name("mine"), "--json"))
        missing = llmstack("fit", registry.name("none"))
    assert (document["basis"], document["largest_context"]) == ("file size", None)
    assert document["estimate"] > file.stat().st_size
    # It is the server that had no such model; the registry has none either.
    assert missing.returncode == 1
    assert "No server answers" in missing.stderr


def test_a_name_that_nobody_knows(llmstack: Program) -> None:
    done = llmstack("fit", "127.0.0.1:9/library/no-such-model:1b")
    assert done.returncode == 1
    assert "No server answers" in done.stderr
