"""What is drawn of newer versions: of states, programs and times that no server here can be brought to."""

from __future__ import annotations

from llmstack_tui.base.sentences import quoted
from llmstack_tui.base.structs import replace
from llmstack_tui.tui.updates.screen import UpdatesScreen
from llmstack_tui.updates.programs import Program, Release
from tests.support import outdated, seeded
from tests.support.outdated import CURRENT, NOW, STALE
from tests.support.waiting import wait_until
from tests.tui.driving import FakeDesk, dashboard
from tests.tui.fakes import FakeServices, FakeStack

STATE = outdated.judged(seeded.typical())
COLUMN = "↑ 4.1 GB"


def toasts(desk: FakeDesk) -> list[str]:
    return [f"{each.title}: {each.message}" for each in desk.toasts]


async def test_the_list_has_a_column_for_them_only_while_there_are_any() -> None:
    async with dashboard(seeded.typical(), size=(80, 24)) as desk:
        assert "Update" not in desk.text.splitlines()[2]
        desk.stack.put(STATE)
        await desk.until_shown(COLUMN, "Update", "2 updates ↑")
        desk.stack.updates.put(outdated.VERDICTS | {"mistral:7b": CURRENT, "smollm2:135m": CURRENT})
        await wait_until(lambda: "↑" not in desk.text)


async def test_where_the_column_has_no_room_the_mark_stays() -> None:
    async with dashboard(STATE, size=(62, 20)) as desk:
        await desk.until_shown("mistral:7b")
        line = next(line for line in desk.text.splitlines() if "mistral:7b" in line)
        assert "↑" in line
        assert COLUMN not in line


async def test_the_header_counts_them_and_says_that_it_checks() -> None:
    async with dashboard(STATE) as desk:
        assert "2 updates ↑" in desk.text.splitlines()[0]
        desk.stack.put(replace(desk.stack.state, checking=True))
        await desk.until_shown("2 updates ↑  checking…")
        await desk.pilot.click("HeaderBar", offset=(105, 0))
        await wait_until(lambda: isinstance(desk.app.screen, UpdatesScreen))


async def test_nothing_is_told_while_the_registries_are_asked() -> None:
    async with dashboard(replace(STATE, checking=True)) as desk:
        await desk.until_shown("checking…")
        assert desk.toasts == []
        desk.stack.put(replace(desk.stack.state, checking=False))
        await wait_until(lambda: len(desk.toasts) == 1)


async def test_the_screen_follows_what_is_found_meanwhile() -> None:
    async with dashboard(seeded.typical(), clock=lambda: NOW) as desk:
        await desk.press("V")
        await desk.until_shown("No model was compared with its registry yet.")
        desk.stack.put(STATE)
        await desk.until_shown("mistral:7b", "changed here? asks first")
        desk.stack.put(replace(STATE, downloads=(outdated.coming("mistral:7b"),)))
        await desk.until_shown("↓ 43 %")


async def test_the_pane_says_it_in_words() -> None:
    async with dashboard(STATE, clock=lambda: NOW) as desk:
        await desk.press("j", "j")
        await desk.until_shown("there is a newer version", "weights, template", "12 min ago")


async def test_a_disk_that_is_too_small_is_said_before() -> None:
    huge = replace(STALE, download=10**15)
    async with dashboard(outdated.judged(seeded.typical(), **{"mistral:7b": huge})) as desk:
        await desk.press("U")
        await desk.until_shown("Only 120 GB are free")


OLLAMA = Release(program=Program.OLLAMA, version="0.30.0", asked_at=NOW)


async def test_a_newer_program_is_a_word_in_the_header_and_a_line_on_the_screen() -> None:
    releases = (OLLAMA, Release(program=Program.LLMSTACK, version="99.0", asked_at=NOW))
    async with dashboard(replace(STATE, releases=releases), size=(140, 40)) as desk:
        assert "Ollama 0.30.0, llmstack 99.0 ↑  2 updates ↑" in desk.text.splitlines()[0]
        await desk.press("V")
        await desk.until_shown(
            "Ollama 0.30.0 is out; 127.0.0.1:11434 has 0.24.0.",
            "ollama.com/download",
            "pip install -U llmstack-tui",
        )


async def test_a_newer_ollama_is_not_told_where_the_user_stays_with_a_version() -> None:
    async with dashboard(replace(STATE, releases=(OLLAMA,), held="0.24.0"), size=(140, 40)) as desk:
        assert "0.30.0" not in desk.text
        await desk.press("V")
        await desk.until_shown("weights, template")
        assert "0.30.0" not in desk.text


async def test_what_is_not_newer_or_not_known_is_no_word_in_the_header() -> None:
    problem = "api.example did not answer in time."
    releases = (
        replace(OLLAMA, version="0.24.0"),
        Release(program=Program.LLMSTACK, asked_at=NOW, problems=(quoted(problem),)),
    )
    async with dashboard(replace(STATE, releases=releases)) as desk:
        assert "Ollama 0.24.0" in desk.text.splitlines()[0]
        assert desk.text.splitlines()[0].count("↑") == 1
        await wait_until(lambda: len(desk.toasts) == 1)
        assert problem not in toasts(desk)[0]
        await desk.press("V")
        await desk.until_shown(problem)


async def test_what_was_told_is_not_told_again_after_its_host_was_away() -> None:
    stack = FakeStack(STATE)
    async with dashboard(services=FakeServices(stack)) as desk:
        await wait_until(lambda: len(desk.toasts) == 1)
        remembered = dict(stack.remembered)
        # Its models are not judged before the host has listed them.
        stack.updates.put({})
        await wait_until(lambda: "↑" not in desk.text)
        stack.updates.put(outdated.VERDICTS)
        await desk.until_shown("2 updates ↑")
        stack.updates.put(outdated.VERDICTS | {"phi4:14b": replace(STALE, digest="f" * 64)})
        await wait_until(lambda: len(desk.toasts) == 2)
        assert toasts(desk)[-1].startswith("1 newer version: phi4:14b")
        assert stack.remembered != remembered
