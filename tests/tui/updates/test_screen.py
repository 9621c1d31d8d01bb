"""Newer versions and the keys for them: what a registry has published, and what its models' server pulls."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from llmstack_tui.config.settings import Settings
from llmstack_tui.tui.details.screen import DetailsScreen
from tests.support.fake_ollama import usual_ollama
from tests.support.registry import Fault
from tests.support.scripted_server import Then, ndjson
from tests.support.waiting import wait_until
from tests.tui.driving import real_dashboard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.fake_ollama import FakeOllama
    from tests.support.registry import Registry
    from tests.tui.driving import RealDesk

CODER, SMOL, MISTRAL, VISION = "qwen2.5-coder:7b", "smollm2:135m", "mistral:7b", "llama3.2-vision:11b"
NOMIC, PHI = "nomic-embed-text:latest", "phi4:14b"
LONG_AGO_S = 1_600_000_000


def with_models(registry: Registry) -> FakeOllama:
    """A server with models of every verdict, two of them old, and the versions that a pull brings."""
    names = {each: registry.listed(each) for each in (CODER, SMOL, MISTRAL, VISION, NOMIC, PHI)}
    ollama = usual_ollama(*names.values())
    ollama.described = {**ollama.described, "modified_at": "2025-01-02T03:04:05Z", "size": 9_000}
    current = registry.publish(CODER, b"c")
    template = registry.publish(SMOL, b"small", template="new")
    published = {
        CODER: current,
        SMOL: template,
        MISTRAL: registry.publish(MISTRAL, b"m" * 4_000, template="new"),
        # Older than the copy, and of other weights: perhaps the copy was made from it.
        VISION: registry.publish(VISION, b"v" * 5_000, pushed_at_s=LONG_AGO_S),
    }
    ollama.published = {names[each]: version.digest for each, version in published.items()}
    ollama.installed[names[CODER]] = current.digest
    ollama.weights[names[SMOL]] = template.weights.digest.replace(":", "-")
    registry.faults.append(Fault(path="/nomic", status=401, body=b""))
    return ollama


@asynccontextmanager
async def checked(registry: Registry, *, read_only: bool = False) -> AsyncIterator[RealDesk]:
    """A dashboard whose user has asked for newer versions, and has seen the answer."""
    settings = Settings(read_only=read_only)
    async with real_dashboard(with_models(registry), settings=settings, size=(140, 40)) as desk:
        await desk.press("c")
        # One toast has the news, and another why one model is not known.
        await desk.until_shown("2 updates ↑", "2 newer versions", "does not show")
        yield desk


def pulled(desk: RealDesk) -> list[str]:
    """The names that the server was told to pull, without their registry."""
    return [str(body["model"]).rpartition("/")[2] for path, body in desk.ollama.asked if path == "/api/pull"]


async def test_news_are_told_once_in_one_toast_and_never_again(registry: Registry) -> None:
    async with checked(registry) as desk:
        (said,) = (each for each in desk.toasts if each.title == "2 newer versions")
        assert "mistral:7b: weights, template; at most 4 kB" in said.message
        assert "smollm2:135m: template; at most" in said.message
        assert "V shows what changed." in said.message
        registry.faults.clear()
        await desk.press("c")
        await wait_until(lambda: "2 models have newer versions" in desk.told)
        registry.publish(CODER, b"newer")
        await desk.press("c")
        await wait_until(lambda: "1 newer version: " in desk.told)
        await desk.until_shown("3 updates ↑")
        assert "mistral:7b" not in desk.toasts[-1].message


async def test_the_screen_lists_them_and_leaves_them_alone(registry: Registry) -> None:
    async with checked(registry) as desk:
        await desk.press("V")
        await desk.until_shown("Updates  2, at most", "weights, template", "checked just now")
        await desk.press("i")
        await desk.until_shown("this version is left alone", "Updates  1, ")
        # The cursor stays on it, although it went down.
        await desk.press("i")
        await desk.until_shown("Updates  2, at most")
        await desk.press("space", "space", "I")
        await wait_until(lambda: desk.text.count("left alone") == 2)
        await desk.press("escape")
        await desk.press("escape")
        await wait_until(lambda: desk.app.models.is_current)
        await wait_until(lambda: "updates ↑" not in desk.text)
        await desk.press("U")
        await wait_until(lambda: "Nothing newer is known." in desk.told)
        assert pulled(desk) == []


async def test_enter_unfolds_what_is_not_known_and_opens_a_model(registry: Registry) -> None:
    async with checked(registry) as desk:
        desk.app.clear_notifications()
        await desk.press("V")
        await desk.until_shown("1 model not known")
        # The reason beside the heading has the name, too.
        folded = desk.text.count("nomic-embed-text")
        await desk.press("G", "enter")
        await wait_until(lambda: desk.text.count("nomic-embed-text") == folded + 1)
        await desk.press("enter")
        await wait_until(lambda: desk.text.count("nomic-embed-text") == folded)
        await desk.press("g", "enter")
        await wait_until(lambda: isinstance(desk.app.screen, DetailsScreen))
        await desk.until_shown("there is a newer version")


async def test_u_pulls_what_is_newer_and_says_why_the_rest_is_not(registry: Registry) -> None:
    async with checked(registry) as desk:
        desk.ollama.pulling = ndjson({"status": "pulling manifest"}, then=Then.HANG)
        await desk.put_cursor(registry.listed(MISTRAL))
        await desk.press("u")
        await wait_until(lambda: pulled(desk) == [MISTRAL])
        for name, said in (
            (MISTRAL, "is on its way already."),
            (CODER, "is up to date (checked just now)."),
            (NOMIC, "was not checked for a newer version"),
            (PHI, "has no newer version."),
        ):
            desk.app.clear_notifications()
            await desk.put_cursor(registry.listed(name))
            await desk.press("u")
            await wait_until(lambda said=said: said in desk.told, what=said)  # type: ignore[misc]
        assert pulled(desk) == [MISTRAL]


async def test_what_was_changed_here_is_replaced_only_after_a_question(registry: Registry) -> None:
    async with checked(registry) as desk:
        await desk.put_cursor(registry.listed(VISION))
        await desk.press("u")
        await desk.until_shown("Replace ", "is lost")
        await desk.press("enter")  # keeps it
        await wait_until(lambda: desk.app.models.is_current)
        assert pulled(desk) == []
        await desk.press("u")
        await desk.until_shown("Replace ")
        await desk.press("right", "enter")
        await wait_until(lambda: pulled(desk) == [VISION])


async def test_all_are_pulled_after_one_question_that_says_what_it_costs(registry: Registry) -> None:
    async with checked(registry) as desk:
        await desk.press("U")
        await desk.until_shown("Update 2 models?", "at most", "to download")
        await desk.press("escape")
        await wait_until(lambda: desk.app.models.is_current)
        assert pulled(desk) == []
        # On the screen of updates the keys do the same.
        await desk.press("V")
        await desk.until_shown("Updates  2, at most")
        await desk.press("U")
        await desk.until_shown("Update 2 models?")
        await desk.press("right", "enter")
        await wait_until(lambda: sorted(pulled(desk)) == [MISTRAL, SMOL])
        await wait_until(
            lambda: not any(each.is_wanted for each in desk.stack.state.hosts[0].updates.values())
        )
        await wait_until(lambda: all(each.state.is_over for each in desk.stack.state.downloads))
        await desk.press("U")
        await wait_until(lambda: "Nothing newer is known." in desk.told)


async def test_read_only_pulls_nothing_and_still_checks(registry: Registry) -> None:
    async with checked(registry, read_only=True) as desk:
        await desk.put_cursor(registry.listed(MISTRAL))
        await desk.press("u", "U")
        await wait_until(lambda: desk.told.count("read-only") == 2)
        assert pulled(desk) == []
