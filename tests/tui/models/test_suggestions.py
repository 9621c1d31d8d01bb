"""What somebody who has no model sees, and what the keys do then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from llmstack_tui.base import languages
from llmstack_tui.base.kinds import HostKind
from llmstack_tui.base.structs import replace
from llmstack_tui.catalog.rules import engine_runs
from llmstack_tui.config.settings import Settings
from llmstack_tui.core.state import HostState
from llmstack_tui.hosts.errors import Unreachable
from llmstack_tui.store.tables.activations import Uses
from llmstack_tui.tui.models.screen import ModelsScreen
from llmstack_tui.tui.models.suggestions import SuggestionRow
from tests.support import outdated, seeded
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard
from tests.tui.fakes import FakeServices, FakeStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llmstack_tui.core.state import StackState

HEADING = "No models here yet. These suit this machine:"
FAR = "http://10.0.0.9:11434"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    languages.use("en")


def empty(kind: HostKind = HostKind.OLLAMA) -> StackState:
    """No models, on a machine with a card of 8 GB."""
    return seeded.on_card(seeded.state(seeded.snapshot(kind=kind)))


def suggested(desk: FakeDesk) -> list[str]:
    return [row.name for row in desk.app.models.list.rows if isinstance(row, SuggestionRow)]


async def until_suggested(desk: FakeDesk) -> None:
    await wait_until(lambda: suggested(desk), what="suggestions")
    await desk.pilot.pause()


async def test_three_models_with_their_figures_and_the_next_keys() -> None:
    async with dashboard(empty()) as desk:
        await until_suggested(desk)
        assert suggested(desk)[1:] == ["qwen2.5-coder:7b", "llama3.2:3b"]
        rows = desk.text
        assert "4.7 GB ~5.4 GB  fits" in rows
        assert "code: writing, explaining and repairing code on a card of 8 GB" in rows
        assert "small: chat and tools on a laptop" in rows
        assert "↵ downloads the model under the cursor, after a question." in rows
        assert "p pulls another by its name or imports a file, 3 shows the catalog." in rows


async def test_the_built_in_engine_gets_what_it_can_run() -> None:
    async with dashboard(empty(HostKind.BUILTIN)) as desk:
        await until_suggested(desk)
        catalog = await desk.stack.catalog.catalog()
        runs = {each.name: engine_runs(each) for each in catalog.entries}
        assert [runs[name] for name in suggested(desk)] == [True] * 3


async def test_nothing_is_pulled_without_the_key_and_a_yes() -> None:
    async with dashboard(empty()) as desk:
        await until_suggested(desk)
        await desk.press("j", "down", "k")
        await desk.press("enter")
        await desk.until_shown("Download qwen2.5-coder:7b?", "4.7 GB to download", "it fits")
        await desk.press("enter")
        await wait_until(lambda: isinstance(desk.app.screen, ModelsScreen), what="a no")
        assert desk.stack.acts == []
        await desk.press("enter")
        await desk.until_shown("Download qwen2.5-coder:7b?")
        await desk.press("right", "enter")
        await wait_until(lambda: desk.stack.acts, what="a pull")
        assert desk.stack.acts == [("pull", seeded.URL, "qwen2.5-coder:7b")]


async def test_the_cursor_goes_from_the_suggestion_to_its_pull_and_to_the_model() -> None:
    async with dashboard(empty()) as desk:
        await until_suggested(desk)
        await desk.press("j", "j")
        assert desk.app.models.list.row
        key = desk.app.models.list.row.key
        assert key == (seeded.URL, "llama3.2:3b")
        desk.stack.put(replace(desk.stack.state, downloads=(outdated.coming("llama3.2:3b"),)))
        await desk.until_shown("pulling")
        assert not suggested(desk)
        assert desk.app.models.list.row.key == key
        desk.stack.put(replace(desk.stack.state, downloads=()))
        desk.stack.put_snapshot(seeded.snapshot((seeded.model("llama3.2:3b"),)))
        await desk.until_shown("○ llama3.2:3b")
        assert desk.app.models.selected == key


@pytest.mark.parametrize("key", ["a", "x", "d"])
async def test_a_key_for_models_says_that_it_is_not_here_yet(key: str) -> None:
    async with dashboard(empty()) as desk:
        await until_suggested(desk)
        await desk.press(key)
        assert f"{suggested(desk)[0]} is not here yet: ↵ pulls it." in desk.told
        assert desk.stack.acts == []


async def test_read_only_suggestions_say_why_they_cannot_be_pulled() -> None:
    async with dashboard(empty(), settings=Settings(read_only=True)) as desk:
        await until_suggested(desk)
        assert "Nothing can be downloaded: llmstack is read-only." in desk.text
        assert "↵ downloads" not in desk.text
        await desk.press("enter")
        await wait_until(lambda: "Nothing can be changed" in desk.told, what="the reason")
        assert desk.stack.acts == []


def gone() -> StackState:
    error = Unreachable("quoted", text="Ollama does not answer.", host=seeded.URL)
    found = empty()
    snapshot = replace(found.hosts[0].snapshot, error=error)
    return replace(found, hosts=(HostState(snapshot, ()),))


def far() -> StackState:
    """The only server is on another machine, of which no memory is known."""
    found = empty()
    return replace(found, hosts=(HostState(seeded.snapshot(url=FAR), ()),))


def unread() -> StackState:
    """Before the first reading of the machine."""
    return replace(empty(), machine=None, profile=None)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (gone(), "No models were here when the server last answered."),
        (far(), "No models here yet."),
        (unread(), "No models here yet."),
    ],
)
async def test_no_suggestions_where_nothing_is_known_to_fit_or_nothing_answers(
    state: StackState, said: str
) -> None:
    async with dashboard(state) as desk:
        await wait_until(lambda: desk.app.models.suggestions.is_read, what="the catalog")
        await desk.pilot.pause()
        assert not suggested(desk)
        assert said in desk.text


async def test_a_filter_that_finds_nothing_is_no_empty_list() -> None:
    async with dashboard() as desk:
        await desk.press("slash")
        await desk.type("xyzzy")
        await desk.until_shown("No match.")
        assert not suggested(desk)


async def test_they_follow_the_language() -> None:
    async with dashboard(empty()) as desk:
        await until_suggested(desk)
        desk.app.action_use_language("es")
        await wait_until(lambda: HEADING not in desk.text, what="another heading")
        assert len(suggested(desk)) == 3


# After the first download


async def test_a_first_model_says_how_to_load_it_and_then_how_to_reach_it() -> None:
    async with dashboard(seeded.many(1)) as desk:
        await desk.until_shown("Press a to load it into memory.")
        await desk.press("a")
        url, name = f"{seeded.URL}/v1", "model-0000:latest"
        await desk.until_shown(f"It answers at {url}: y copies this address.", f"llmstack chat {name}")
        assert desk.stack.remembered["models.first_steps_over"] is True
        await desk.press("d")
        await wait_until(lambda: desk.word(name) == "inactive", what="the model is out of memory")
        assert "Press a to load" not in desk.text
    async with dashboard(services=FakeServices(desk.stack)) as desk:
        await desk.press("a")
        await wait_until(lambda: desk.word(name) == "active", what="the model is loaded again")
        assert "It answers at" not in desk.text


async def test_among_several_models_it_is_a_toast() -> None:
    async with dashboard(seeded.many(3)) as desk:
        await desk.pilot.pause()
        assert "Press a to load" not in desk.text
        await desk.press("a")
        await wait_until(lambda: "It answers at" in desk.told, what="how to reach it")
        assert "llmstack chat model-0000:latest" in desk.told


async def test_whoever_has_loaded_models_before_is_told_nothing() -> None:
    stack = FakeStack(seeded.many(1))
    stack.used["model-0000:latest"] = Uses(times=3, last_at=datetime.now(UTC))
    async with dashboard(services=FakeServices(stack)) as desk:
        await desk.press("a")
        await wait_until(lambda: desk.word("model-0000:latest") == "active", what="the model is loaded")
        assert "It answers at" not in desk.text + desk.told
