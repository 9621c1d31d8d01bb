"""Pulling a model by its name or adding one from a file.

Over fakes is what is said before anything is sent, and a queue that takes nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from llmstack_tui.base.kinds import Capability
from llmstack_tui.base.structs import replace
from llmstack_tui.hosts.errors import ServerError
from llmstack_tui.tui.downloads.add import ImportScreen
from tests.support import seeded
from tests.support.fake_ollama import usual_ollama
from tests.support.scripted_server import Then, ndjson
from tests.support.waiting import wait_until
from tests.tui.driving import Desk, dashboard, real_dashboard

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.registry import Registry

ONE = seeded.state(seeded.snapshot((seeded.model("tiny-scripted:f16"), seeded.model("b:latest"))))
FREE = seeded.state(seeded.snapshot((seeded.model("b:latest"),)))


async def opened(desk: Desk) -> None:
    await desk.press("p")
    await desk.until_shown("Pull a model, or import a file")


async def test_a_file_is_checked_named_and_added(tiny_model: Path) -> None:
    async with real_dashboard(usual_ollama()) as desk:
        await opened(desk)
        desk.field("path").value = str(tiny_model)
        await desk.until_shown("llama", "kB", "tiny-scripted:f16")
        await desk.press("enter")
        await desk.until_happened("import.done", "tiny-scripted:f16")
        await wait_until(lambda: desk.app.models.selected == (desk.url, "tiny-scripted:f16"))
        assert [*desk.ollama.installed] == ["tiny-scripted:f16"]
        (made,) = (body for path, body in desk.ollama.asked if path == "/api/create")
        (digest,) = made["files"].values()
        assert digest == f"sha256:{hashlib.sha256(tiny_model.read_bytes()).hexdigest()}"


async def test_a_name_of_ones_own_is_kept(tiny_model: Path) -> None:
    async with real_dashboard(usual_ollama("tiny-scripted:f16")) as desk:
        await opened(desk)
        desk.field("name").value = "mine"
        desk.field("path").value = str(tiny_model)
        await desk.until_shown("llama")
        assert desk.field("name").value == "mine"
        await desk.press("enter")
        await wait_until(lambda: desk.app.models.selected == (desk.url, "mine:latest"))
        assert sorted(desk.ollama.installed) == ["mine:latest", "tiny-scripted:f16"]


async def test_a_name_that_is_taken_or_wrong_is_said(tiny_model: Path) -> None:
    async with dashboard(ONE) as desk:
        await opened(desk)
        desk.field("path").value = str(tiny_model)
        await desk.until_shown("it will be replaced")
        await desk.press("enter")  # in the path: not enough to replace anything
        assert not [call for call in desk.stack.calls if call[0] == "import"]
        desk.field("name").value = "free"
        await wait_until(lambda: "it will be replaced" not in desk.text)
        desk.field("name").value = "B"  # which is b:latest
        await desk.until_shown("it will be replaced")
        desk.field("name").value = "no good!"
        await desk.until_shown("cannot be the name of a model")
        await desk.press("enter")
        assert isinstance(desk.app.screen, ImportScreen)
        assert not [call for call in desk.stack.calls if call[0] == "import"]


async def test_what_is_no_model_is_said_and_not_imported(tmp_path: Path) -> None:
    text = tmp_path / "notes.gguf"
    text.write_text("[/red] not a model")
    async with dashboard(ONE) as desk:
        await opened(desk)
        await desk.press("enter")
        await desk.until_shown("Give the name of a model, or the path of a GGUF file.")
        desk.field("path").value = str(tmp_path / "missing.gguf")
        await desk.until_shown("There is no file")
        desk.field("path").value = str(tmp_path)
        await desk.until_shown("That is a folder")
        desk.field("path").value = str(text)
        await desk.until_shown("GGUF")
        desk.field("name").value = "a-name"
        await desk.press("enter")
        assert not [call for call in desk.stack.calls if call[0] == "import"]
        await desk.press("escape")
        assert desk.app.screen is desk.app.models
        assert desk.events == []


async def test_an_import_shows_how_it_goes_and_can_be_cancelled(tiny_model: Path) -> None:
    async with real_dashboard(usual_ollama()) as desk:
        desk.ollama.creating = ndjson({"status": "parsing GGUF"}, then=Then.HANG)
        await opened(desk)
        desk.field("path").value = str(tiny_model)
        await desk.until_shown("tiny-scripted:f16")
        await desk.press("enter")
        # The last step that was begun, which may say no more: not the hashing that came before.
        await desk.until_shown("parsing GGUF", "esc  cancel")
        assert "hashing" not in desk.text
        assert "/api/create" in {path for path, _ in desk.ollama.asked}
        await desk.press("escape")
        await desk.until_shown("Cancelled; nothing was changed.")
        assert desk.field("path").value == str(tiny_model)
        await desk.press("escape")
        await wait_until(lambda: desk.app.models.is_current)
        assert desk.ollama.installed == {}


async def test_a_failure_gives_back_what_was_typed(tiny_model: Path) -> None:
    async with real_dashboard(usual_ollama()) as desk:
        desk.ollama.creating = ndjson({"error": "No space left on the disk [/x]."})
        await opened(desk)
        desk.field("path").value = str(tiny_model)
        await desk.until_shown("tiny-scripted:f16")
        await desk.press("enter")
        await desk.until_shown("No space left on the disk [/x].")
        assert desk.field("name").value == "tiny-scripted:f16"
        desk.ollama.creating = None
        await desk.press("enter")
        await desk.until_happened("import.done", "tiny-scripted:f16")


async def test_paths_are_completed(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    async with dashboard(ONE) as desk:
        await opened(desk)
        desk.field("path").value = f"{tmp_path}/mo"
        desk.field("path").action_end()
        await desk.type("d")
        await desk.until_shown("models/")
        await desk.press("right")
        assert desk.field("path").value == f"{tmp_path}/models/"


async def test_a_name_is_pulled(registry: Registry) -> None:
    registry.publish("tiny", b"w")
    async with real_dashboard(usual_ollama("b:latest")) as desk:
        await opened(desk)
        desk.field("path").value = f" {registry.name('tiny')} "
        await desk.until_shown("Pulls ", f"from {registry.host}.")
        await desk.press("enter")
        await wait_until(lambda: any("is in the queue." in each.message for each in desk.toasts))
        await wait_until(lambda: registry.listed("tiny") in desk.ollama.installed)
        await wait_until(lambda: desk.app.models.is_current)


async def test_a_hasty_enter_pulls_too_and_a_refusal_gives_the_name_back() -> None:
    async with dashboard(FREE) as desk:
        desk.stack.failure = ServerError("quoted", text="The disk [/x] is full.", host=seeded.URL)
        await opened(desk)
        desk.field("path").value = "hf.co/user/model:Q4_K_M"
        await desk.press("enter")
        await desk.until_shown("The disk [/x] is full.")
        assert desk.field("path").value == "hf.co/user/model:Q4_K_M"
        desk.field("path").value = "b"
        await desk.until_shown("It is installed: only what")


async def test_what_is_no_name_and_no_file_is_said_in_a_sentence() -> None:
    async with dashboard(FREE) as desk:
        await opened(desk)
        desk.field("path").value = "no such [model]!"
        await desk.until_shown("That is neither a name such as qwen2.5-coder:7b")
        await desk.press("enter")
        assert desk.stack.acts == []
        desk.field("path").value = "missing.gguf"
        await desk.until_shown("There is no file")


async def test_a_server_that_pulls_nothing_says_so() -> None:
    snapshot = replace(FREE.hosts[0].snapshot, capabilities=seeded.ALL & ~Capability.PULL)
    async with dashboard(seeded.state(snapshot)) as desk:
        await opened(desk)
        desk.field("path").value = "qwen2.5:0.5b"
        await desk.until_shown("This server pulls no models: give the path of a GGUF file.")
        await desk.press("enter")
        assert desk.stack.acts == []
