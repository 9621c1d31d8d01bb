"""A disk without space, files that are damaged or left over, and settings with mistakes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from llmstack_tui.hardware.readings import Space
from tests.support.folders import blob, manifest, write

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import pytest

    from tests.doctor.checkups import Surroundings

GB = 10**9
ONE = "registry.ollama.ai/library/one/latest"


async def full_disk(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    write(here.data / "models", ONE, manifest(here.data / "models", b"1" * 2000, config=b"{}"))
    patch.setattr("llmstack_tui.core.check_up.read_disk", lambda _: Space(100 * GB, 95 * GB))
    yield
    patch.setattr("llmstack_tui.core.check_up.read_disk", lambda _: Space(100 * GB, 50 * GB))
    yield


async def damaged_model(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    folder = here.data / "models"
    write(folder, ONE, manifest(folder, b"1" * 2000, config=b"{}"))
    max((folder / "blobs").iterdir(), key=lambda file: file.stat().st_size).unlink()
    yield
    blob(folder, b"1" * 2000)
    yield


async def leftovers(here: Surroundings, patch: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    folder = here.data / "models"
    write(folder, ONE, manifest(folder, b"1" * 2000, config=b"{}"))
    blob(folder, b"nobody's" * 100)
    now = time.time
    patch.setattr(time, "time", lambda: now() + 7200)  # What is young stays.
    yield


async def no_prune(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    folder = here.home / ".ollama/models"
    write(folder, ONE, manifest(folder, b"1" * 2000, config=b"{}"))
    blob(folder, b"nobody's" * 100)
    here.environ["OLLAMA_NOPRUNE"] = "1"
    yield
    del here.environ["OLLAMA_NOPRUNE"]
    yield


async def wrong_settings(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    file = here.home / ".config/llmstack/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[engine]\nport = "many"\n')
    yield
    file.write_text("[engine]\nport = 11500\n")
    yield


async def damaged_state(here: Surroundings, _: pytest.MonkeyPatch) -> AsyncGenerator[None, None]:
    here.data.mkdir(parents=True)
    (here.data / "state.db").write_bytes(b"not a database" * 1000)
    yield
