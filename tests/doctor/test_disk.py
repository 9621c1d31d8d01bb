"""A full disk, damaged models, files that nobody uses, and a damaged state file."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.doctor.facts import DiskFacts
from llmstack_tui.doctor.rules.disk import space
from llmstack_tui.doctor.types import FindingState, FixKind
from llmstack_tui.hardware.readings import Space
from llmstack_tui.store.store import Store
from llmstack_tui.store.tables.figures import Measured, last_loads
from tests.doctor.checkups import NOBODY, said
from tests.support.folders import blob, manifest, write

if TYPE_CHECKING:
    from tests.doctor.checkups import Surroundings

GB = 10**9
ONE = "registry.ollama.ai/library/one/latest"


@pytest.mark.parametrize(
    ("free", "state"),
    [(50 * GB, FindingState.FINE), (5 * GB, FindingState.WARNING), (GB // 20, FindingState.BROKEN)],
)
def test_the_space_of_a_disk(free: int, state: FindingState) -> None:
    spaces = ((Path("/models"), Space(100 * GB, 100 * GB - free)),)
    (finding,) = space("disk.space", DiskFacts((), (), spaces))
    assert finding.state is state


@pytest.fixture
def models(here: Surroundings) -> Path:
    """The engine's folder, with a model."""
    folder = here.data / "models"
    write(folder, ONE, manifest(folder, b"1" * 2000, config=b"{}"))
    return folder


async def test_a_model_without_its_weights(here: Surroundings, models: Path) -> None:
    assert (await here.find("disk.models")).state is FindingState.FINE
    max((models / "blobs").iterdir(), key=lambda file: file.stat().st_size).unlink()
    finding = await here.find("disk.models")
    assert finding.state is FindingState.WARNING
    assert "one:latest" in said(finding)


async def test_what_no_model_uses_is_removed_by_the_fix(
    here: Surroundings, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await here.find("disk.leftovers")).state is FindingState.FINE
    kept = {file.name for file in (models / "blobs").iterdir()}
    blob(models, b"nobody's" * 100)
    assert (await here.find("disk.leftovers")).fix is None  # It is young.
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 7200)
    finding = await here.find("disk.leftovers")
    assert finding.state is FindingState.ADVICE
    assert finding.fix is not None
    assert finding.fix.kind is FixKind.CLEAN_DISK
    await here.check_up().mend(finding)
    assert {file.name for file in (models / "blobs").iterdir()} == kept
    assert (await here.find("disk.leftovers")).state is FindingState.FINE


async def test_an_ollama_that_may_not_prune(here: Surroundings) -> None:
    folder = here.home / ".ollama/models"
    write(folder, ONE, manifest(folder, b"1" * 2000, config=b"{}"))
    here.environ["OLLAMA_NOPRUNE"] = "1"
    assert (await here.find("disk.noprune")).state is FindingState.FINE
    blob(folder, b"nobody's" * 100)
    finding = await here.find("disk.noprune")
    assert finding.state is FindingState.ADVICE
    assert "800 B" in said(finding).replace("\N{NO-BREAK SPACE}", " ")


async def filled(here: Surroundings) -> Path:
    """A state file in which a load is measured."""
    here.data.mkdir(parents=True)
    file = here.data / "state.db"
    async with await Store.open(file) as store:
        load = Measured(
            at=datetime(2026, 7, 1, tzinfo=UTC),
            host=NOBODY,
            model="a:1",
            digest="d",
            server_bytes=5,
            server_gpu_bytes=4,
        )
        store.measured.add(load)
    return file


async def test_a_damaged_state_file_is_told_of_and_stays_until_the_fix(here: Surroundings) -> None:
    file = await filled(here)
    assert (await here.find("state.file")).state is FindingState.FINE
    content = bytearray(file.read_bytes())
    content[4096:12288] = bytes(8192)
    file.write_bytes(content)
    finding = await here.find("state.file")
    assert finding.state is FindingState.BROKEN
    assert file.read_bytes() == content
    assert finding.fix is not None
    assert finding.fix.kind is FixKind.RENEW_STATE
    await here.check_up().mend(finding)
    assert (await here.find("state.file")).state is FindingState.FINE
    (aside,) = here.data.glob("state.db.damaged-*")
    assert aside.read_bytes() == content


async def test_a_state_file_that_cannot_be_made(here: Surroundings) -> None:
    here.data.parent.mkdir(parents=True)
    here.data.touch()
    finding = await here.find("state.file")
    assert (finding.state, finding.fix) == (FindingState.BROKEN, None)
    assert "File exists" in said(finding)


async def test_the_last_loads_are_read_without_opening_the_store(here: Surroundings) -> None:
    file = await filled(here)
    assert [(each.model, each.server_gpu_bytes) for each in last_loads(file, NOBODY, 3)] == [("a:1", 4)]
    file.write_bytes(bytes(5000))
    assert last_loads(file, NOBODY, 3) == ()
    assert last_loads(file.with_name("none"), NOBODY, 3) == ()
